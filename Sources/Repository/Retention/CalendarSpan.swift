/// A span of time as restic's `--keep-within` takes it: `1y5m7d2h`. Months are calendar months, so it has no fixed length.
package struct CalendarSpan: Sendable, Hashable, CustomStringConvertible {
    package var years: Int
    package var months: Int
    package var days: Int
    package var hours: Int

    /// Each part is at most this, so that no sum of dates overflows.
    private static let maximumPart = 1_000_000

    /// - Parameter years: like the other parts not negative, and small enough for sums of dates.
    package init(years: Int = 0, months: Int = 0, days: Int = 0, hours: Int = 0) {
        (self.years, self.months, self.days, self.hours) = (years, months, days, hours)
    }

    /// Reads a span as restic does: numbers with the units y, m, d and h in any order; of a unit given twice the last
    /// counts; nothing at all is the empty span.
    ///
    /// - Throws: ``RetentionError/Code/malformed``, also for a negative part.
    package init(_ text: String) throws {
        self.init()
        var digits = ""
        for character in text.drop(while: \.isWhitespace) {
            if character.isASCII, character.isNumber {
                digits.append(character)
                continue
            }
            if character.isWhitespace, digits.isEmpty { continue }
            if character == "-" { throw RetentionError.malformedSpan(text, "it has a negative part") }
            guard !digits.isEmpty else { throw RetentionError.malformedSpan(text, "'\(character)' has no number") }
            guard let number = Int(digits), number <= Self.maximumPart else {
                throw RetentionError.malformedSpan(text, "\(digits) is too much")
            }
            switch character {
            case "y": years = number
            case "m": months = number
            case "d": days = number
            case "h": hours = number
            default: throw RetentionError.malformedSpan(text, "'\(character)' is no unit")
            }
            digits = ""
        }
        guard digits.isEmpty else { throw RetentionError.malformedSpan(text, "\(digits) has no unit") }
    }

    /// True for no time at all, which is no rule.
    package var isEmpty: Bool { self == CalendarSpan() }

    /// The parts that are not zero: `1y7d`.
    package var description: String {
        [(years, "y"), (months, "m"), (days, "d"), (hours, "h")].filter { $0.0 != 0 }.map { "\($0.0)\($0.1)" }.joined()
    }
}
