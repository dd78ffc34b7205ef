/// Quantities of bytes as people write them: `500`, `10K`, `1MiB`, `2g`; units are powers of 1024.
enum ByteCountText {
    /// - Returns: nil for anything but a whole number with an optional unit, or one that is too large.
    static func parse(_ text: String) -> UInt64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = UInt64(digits) else { return nil }
        var unit = text[digits.endIndex...].lowercased()
        if unit.hasSuffix("ib") { unit.removeLast(2) } else if unit.hasSuffix("b") { unit.removeLast() }
        guard let power = ["": 0, "k": 1, "m": 2, "g": 3, "t": 4][unit] else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: 1 << (10 * power))
        return overflow ? nil : product
    }
}
