package import RepositoryFormat

/// The date and the hour on the wall clock of whoever took a snapshot: the rules of retention go by these.
package struct LocalTime: Sendable, Hashable {
    package let year: Int64
    /// 1 to 12.
    package let month: Int64
    /// 1 to 31.
    package let day: Int64
    /// 0 to 23.
    package let hour: Int64
    /// Days since 1970-01-01 on that clock.
    let dayNumber: Int64
    /// 0 to 86,399.
    let secondOfDay: Int64

    /// What the clock showed whose offset stands in the time.
    package init(_ time: Timestamp) {
        let (local, _) = time.seconds.addingReportingOverflow(Int64(time.offsetMinutes) * 60)
        var (days, rest) = local.quotientAndRemainder(dividingBy: 86_400)
        if rest < 0 { (days, rest) = (days - 1, rest + 86_400) }
        (year, month, day) = Timestamp.civil(fromDays: days)
        (dayNumber, secondOfDay, hour) = (days, rest, rest / 3600)
    }

    /// The week and the year to which it belongs by ISO 8601: weeks begin on Monday, and the first has the first Thursday.
    package var isoWeek: (year: Int64, week: Int64) {
        // 1970-01-01 was a Thursday; 0 is Monday.
        let weekday = ((dayNumber + 3) % 7 + 7) % 7
        let thursday = dayNumber - weekday + 3
        let (year, _, _) = Timestamp.civil(fromDays: thursday)
        return (year, (thursday - Timestamp.days(year: year, month: 1, day: 1)) / 7 + 1)
    }
}

/// Whose clocks the rules go by.
package struct RetentionClock: Sendable {
    /// The present moment: snapshots from the future are nobody's newest.
    package let now: Timestamp
    private let localOffset: (@Sendable (_ secondsSinceEpoch: Int64) -> Int64)?

    /// - Parameter localOffset: seconds east of UTC on this machine at a moment. Where a snapshot's offset is that of this
    ///   machine at its time, spans of days and more are counted on this machine's calendar, across changes of
    ///   summer time, as restic does (Go's `time.Time` takes the local zone on for such times). Nil counts with the
    ///   snapshot's own fixed offset.
    package init(now: Timestamp, localOffset: (@Sendable (_ secondsSinceEpoch: Int64) -> Int64)? = nil) {
        self.now = now
        self.localOffset = localOffset
    }

    /// The moment a span before another: the calendar goes back by years, months and days on the local clock, a day that a
    /// month lacks becoming one of the next, then hours pass (Go's `Time.AddDate` and `Time.Add`).
    package func moment(_ span: CalendarSpan, before time: Timestamp) -> Timestamp {
        let local = LocalTime(time)
        let months = local.year * 12 + (local.month - 1) - Int64(span.years) * 12 - Int64(span.months)
        let year = months >= 0 ? months / 12 : (months - 11) / 12
        let day = Timestamp.days(year: year, month: months - year * 12 + 1, day: local.day) - Int64(span.days)
        let wall = day * 86_400 + local.secondOfDay
        var moment = time
        moment.seconds = instant(ofWall: wall, like: time) - Int64(span.hours) * 3600
        return moment
    }

    /// The instant at which the clock of `time`'s zone shows `wall` seconds since 1970-01-01T00:00:00; of a time that the
    /// clock shows never or twice, the one that Go's `time.Date` chooses.
    private func instant(ofWall wall: Int64, like time: Timestamp) -> Int64 {
        let fixed = Int64(time.offsetMinutes) * 60
        // An offset of zero is written Z, which means UTC and not a zone that happens to agree with it.
        guard let localOffset, fixed != 0, localOffset(time.seconds) == fixed else { return wall - fixed }
        let guess = localOffset(wall)
        return wall - localOffset(wall - guess)
    }
}
