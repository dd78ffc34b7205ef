/// A point in time to the nanosecond, with the offset of the clock on the wall that wrote it.
///
/// Encoded as RFC 3339 with as many decimals as needed, as Go's `time.Time` does: `2014-12-22T14:47:59.9124+01:00`.
package struct Timestamp: Sendable, Hashable {
    /// Seconds since 1970-01-01T00:00:00Z; negative before.
    package var seconds: Int64
    /// 0 to 999,999,999, counted forward even before 1970.
    package var nanoseconds: UInt32
    /// Minutes east of UTC.
    package var offsetMinutes: Int16

    package init(seconds: Int64, nanoseconds: UInt32 = 0, offsetMinutes: Int16 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
        self.offsetMinutes = offsetMinutes
    }

    /// True when both name the same instant, wherever the clocks hung.
    package func isSameInstant(as other: Timestamp) -> Bool {
        seconds == other.seconds && nanoseconds == other.nanoseconds
    }

    /// The moment `milliseconds` after the epoch.
    package init(milliseconds: Int64, offsetMinutes: Int16 = 0) {
        let (quotient, remainder) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        let borrow: Int64 = remainder < 0 ? 1 : 0
        self.init(
            seconds: quotient - borrow, nanoseconds: UInt32((remainder + borrow * 1000) * 1_000_000),
            offsetMinutes: offsetMinutes)
    }

    /// Milliseconds after the epoch, rounded down; saturates.
    package var milliseconds: Int64 {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        return product.addingReportingOverflow(Int64(nanoseconds / 1_000_000)).partialValue
    }

    // MARK: Encoding

    /// Appends the RFC 3339 text; years outside 0 to 9999 are clamped, as restic does.
    package func append(to output: inout [UInt8]) {
        let local = seconds.addingReportingOverflow(Int64(offsetMinutes) * 60).partialValue
        var days = local / 86400
        var rest = local % 86400
        if rest < 0 {
            rest += 86400
            days -= 1
        }
        var (year, month, day) = Self.civil(fromDays: days)
        if !(0...9999).contains(year) {
            year = year < 0 ? 0 : 9999
            // A day that the year lacks becomes the next, as in Go's AddDate, by which restic does this.
            if year == 9999, month == 2, day == 29 { (month, day) = (3, 1) }
        }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 40) { text in
            var count = 0
            func put(_ byte: UInt8) {
                text[count] = byte
                count += 1
            }
            func put(pair value: Int64) {
                let value = UInt8(truncatingIfNeeded: value)
                put(0x30 + value / 10)
                put(0x30 + value % 10)
            }
            put(pair: year / 100)
            put(pair: year % 100)
            put(0x2D)
            put(pair: month)
            put(0x2D)
            put(pair: day)
            put(0x54)
            put(pair: rest / 3600)
            put(0x3A)
            put(pair: rest / 60 % 60)
            put(0x3A)
            put(pair: rest % 60)
            if nanoseconds > 0 {
                put(0x2E)
                var (digits, value) = (9, nanoseconds)
                while value % 10 == 0 {
                    value /= 10
                    digits -= 1
                }
                for position in stride(from: count + digits - 1, through: count, by: -1) {
                    text[position] = 0x30 + UInt8(truncatingIfNeeded: value % 10)
                    value /= 10
                }
                count += digits
            }
            if offsetMinutes == 0 {
                put(0x5A)
            } else {
                put(offsetMinutes < 0 ? 0x2D : 0x2B)
                put(pair: Int64(offsetMinutes.magnitude) / 60)
                put(0x3A)
                put(pair: Int64(offsetMinutes.magnitude) % 60)
            }
            output.append(contentsOf: UnsafeBufferPointer(rebasing: text[0..<count]))
        }
    }

    /// The RFC 3339 text.
    package var text: String {
        var output: [UInt8] = []
        append(to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// Year, month and day of a day number, day 0 being 1970-01-01; Howard Hinnant, "chrono-compatible low-level date
    /// algorithms", civil_from_days.
    package static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    /// The reverse of the above; days_from_civil of the same source. A month has to be 1 to 12, a day may be any number.
    package static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    // MARK: Decoding

    /// - Parameter text: RFC 3339 with any number of decimals, of which nine count.
    /// - Returns: nil for anything else.
    package init?(_ text: UnsafeRawBufferPointer) {
        var position = 0
        func digits(_ count: Int) -> Int64? {
            guard text.count - position >= count else { return nil }
            var value: Int64 = 0
            for _ in 0..<count {
                guard (0x30...0x39).contains(text[position]) else { return nil }
                value = value * 10 + Int64(text[position] &- 0x30)
                position += 1
            }
            return value
        }
        func take(_ bytes: UInt8...) -> Bool {
            guard position < text.count, bytes.contains(text[position]) else { return false }
            position += 1
            return true
        }
        guard let year = digits(4), take(0x2D), let month = digits(2), (1...12).contains(month), take(0x2D),
            let day = digits(2), (1...31).contains(day), take(0x54, 0x74), let hour = digits(2), hour < 24,
            take(0x3A), let minute = digits(2), minute < 60, take(0x3A), let second = digits(2), second < 61
        else { return nil }
        var fraction: UInt32 = 0
        if take(0x2E) {
            var scale: UInt32 = 100_000_000
            let start = position
            while position < text.count, (0x30...0x39).contains(text[position]) {
                fraction += UInt32(text[position] &- 0x30) * scale
                scale /= 10
                position += 1
            }
            guard position > start else { return nil }
        }
        var offset: Int64 = 0
        if !take(0x5A, 0x7A) {
            guard position < text.count else { return nil }
            let sign: Int64 = text[position] == 0x2D ? -1 : 1
            guard take(0x2B, 0x2D), let hours = digits(2), hours < 24, take(0x3A), let minutes = digits(2), minutes < 60
            else { return nil }
            offset = sign * (hours * 60 + minutes)
        }
        guard position == text.count else { return nil }
        let days = Self.days(year: year, month: month, day: day)
        self.init(
            seconds: days * 86400 + hour * 3600 + minute * 60 + second - offset * 60, nanoseconds: fraction,
            offsetMinutes: Int16(offset))
    }

    /// - Returns: nil unless `text` is RFC 3339.
    package init?(text: String) {
        var text = text
        guard let value = text.withUTF8({ Timestamp(UnsafeRawBufferPointer($0)) }) else { return nil }
        self = value
    }
}
