import SnapshotModel

/// Quantities for people.
enum Units {
    /// "1.234 GiB", binary units, three decimals from KiB on as restic shows them.
    static func bytes(_ count: Int64) -> String {
        var value = Double(count)
        for unit in ["B", "KiB", "MiB", "GiB", "TiB"] {
            if value < 1024 || unit == "TiB" {
                return unit == "B" ? "\(count) B" : "\(decimal(value, 2)) \(unit)"
            }
            value /= 1024
        }
        return "\(count) B"
    }

    /// "2.5 s", "3m 20s", "1h 05m".
    static func time(_ duration: Duration) -> String {
        let milliseconds = duration.wholeMilliseconds
        let seconds = milliseconds / 1000
        if seconds < 60 { return "\(decimal(Double(milliseconds) / 1000, 1)) s" }
        if seconds < 3600 { return "\(seconds / 60)m \(padded(seconds % 60))s" }
        return "\(seconds / 3600)h \(padded(seconds / 60 % 60))m"
    }

    /// A time with second precision, in UTC: "2026-01-31 12:00:00Z".
    static func moment(_ moment: Moment) -> String {
        let text = String(moment.description.prefix(19)).split(separator: "T").joined(separator: " ")
        return text + "Z"
    }

    /// A number with a fixed count of decimals.
    static func decimal(_ value: Double, _ digits: Int) -> String {
        var scale: Double = 1
        for _ in 0..<digits { scale *= 10 }
        guard value.isFinite, abs(value) * scale < 9e15 else { return "?" }
        let scaled = Int64((value * scale).rounded())
        let whole = scaled / Int64(scale)
        let fraction = String((scaled % Int64(scale)).magnitude)
        return "\(whole)." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    private static func padded(_ value: Int64) -> String { value < 10 ? "0\(value)" : String(value) }
}
