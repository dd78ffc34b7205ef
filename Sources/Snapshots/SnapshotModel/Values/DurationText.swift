/// Durations as people write them: one whole number and one unit, `500ms`, `30s`, `10m`, `2h`, `1d`.
package enum DurationText {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// The units; completes "a whole number and one of …".
    package static let unitNames = "ms, s, m, h, d"

    /// The longest duration that is read: 36,500 days, so that sums of a few never overflow.
    package static let maximum = Duration.seconds(36_500 * 86_400)

    /// Reads a duration; nil when `text` is anything but a whole number with a unit, or longer than ``maximum``.
    package static func parse(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text[digits.endIndex...]
        guard !digits.isEmpty, digits.count <= 18, let number = Int64(digits),
            let factor = units.first(where: { $0.name == unit })?.milliseconds
        else { return nil }
        let (milliseconds, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        let duration = Duration.milliseconds(milliseconds)
        return duration <= maximum ? duration : nil
    }

    /// Writes a duration with the largest unit in which it is a whole number; what is shorter than a millisecond is cut.
    package static func format(_ duration: Duration) -> String {
        let milliseconds = duration.wholeMilliseconds
        let unit = units.first { milliseconds != 0 && milliseconds % $0.milliseconds == 0 } ?? ("s", 1000)
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }
}

extension Duration {
    /// The duration in whole milliseconds, cut and clamped to what fits.
    package var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        if overflow { return seconds < 0 ? Int64.min : Int64.max }
        let (sum, overflowOfSum) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        return overflowOfSum ? (seconds < 0 ? Int64.min : Int64.max) : sum
    }
}
