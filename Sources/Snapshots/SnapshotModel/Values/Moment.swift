/// A point in time in milliseconds since 1970-01-01T00:00:00Z, as journals, catalog and snapshots record it.
///
/// The model has no clock: whoever records something says when.
package struct Moment: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Milliseconds since the Unix epoch, leap seconds not counted; negative before 1970.
    package let milliseconds: Int64

    /// A point in time by its milliseconds since the Unix epoch.
    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Earlier before later.
    package static func < (left: Moment, right: Moment) -> Bool { left.milliseconds < right.milliseconds }

    /// The time from `earlier` to here; negative when `earlier` is later. Saturates instead of overflowing.
    package func since(_ earlier: Moment) -> Duration {
        let (difference, overflow) = milliseconds.subtractingReportingOverflow(earlier.milliseconds)
        if overflow { return .milliseconds(milliseconds < 0 ? Int64.min : Int64.max) }
        return .milliseconds(difference)
    }

    /// RFC 3339 in UTC with milliseconds: `2026-11-22T17:16:02.123Z`. Years beyond 0 to 9999 are written with as many
    /// digits as they have, which ``init(rfc3339:)`` does not read back.
    package var description: String {
        let (days, millisecondOfDay) = Self.floorDivide(milliseconds, by: 86_400_000)
        let (year, month, day) = Self.date(daysSinceEpoch: days)
        let second = millisecondOfDay / 1000
        return Self.padded(year, 4) + "-" + Self.padded(month, 2) + "-" + Self.padded(day, 2) + "T"
            + Self.padded(second / 3600, 2) + ":" + Self.padded(second / 60 % 60, 2) + ":"
            + Self.padded(second % 60, 2) + "." + Self.padded(millisecondOfDay % 1000, 3) + "Z"
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number.magnitude)
        let sign = number < 0 ? "-" : ""
        return sign + String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    static func floorDivide(_ number: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    /// The proleptic Gregorian date. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
    /// `civil_from_days`; 719,468 is the number of days from 0000-03-01 to 1970-01-01, 146,097 the days of 400 years.
    private static func date(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivide(daysSinceEpoch + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}

extension Moment {
    /// Reads RFC 3339: `2026-11-22T17:16:02Z`, with a fraction of any length (cut to milliseconds) and with an offset
    /// such as `+01:00`. A leap second (`:60`) counts as the second after it.
    ///
    /// - Throws: ``SnapshotModelError`` `malformedTime`.
    package init(rfc3339 text: String) throws {
        guard let milliseconds = Self.parse(Array(text.utf8)) else { throw SnapshotModelError.malformedTime(text) }
        self.init(milliseconds: milliseconds)
    }

    private static func parse(_ text: [UInt8]) -> Int64? {
        var position = 0
        func number(_ count: Int) -> Int64? {
            guard position + count <= text.count else { return nil }
            var value: Int64 = 0
            for byte in text[position..<position + count] {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            position += count
            return value
        }
        func take(_ choices: String) -> Bool {
            guard position < text.count, choices.utf8.contains(text[position]) else { return false }
            position += 1
            return true
        }
        guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2), take("Tt "),
            let hour = number(2), take(":"), let minute = number(2), take(":"), let second = number(2),
            (1...12).contains(month), (1...daysInMonth(month, of: year)).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        var fraction: Int64 = 0
        if take(".") {
            var weight: Int64 = 100
            let start = position
            while let digit = number(1) {
                fraction += digit * weight
                weight /= 10
            }
            guard position > start else { return nil }
        }
        var offsetMinutes: Int64 = 0
        if !take("Zz") {
            let isNegative = position < text.count && text[position] == UInt8(ascii: "-")
            guard take("+-"), let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60
            else { return nil }
            offsetMinutes = (hours * 60 + minutes) * (isNegative ? -1 : 1)
        }
        guard position == text.count else { return nil }
        let minutes = (days(year, month, day) * 24 + hour) * 60 + minute - offsetMinutes
        return (minutes * 60 + second) * 1000 + fraction
    }

    private static func daysInMonth(_ month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since the epoch. Source: Hinnant, `days_from_civil`.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = floorDivide(shiftedYear, by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
