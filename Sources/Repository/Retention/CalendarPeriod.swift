import RepositoryFormat

/// The stretches of the calendar of which a rule keeps one snapshot each: the newest.
package enum CalendarPeriod: String, Sendable, Hashable, CaseIterable {
    /// No stretch: every snapshot stands for itself.
    case last
    case hourly
    case daily
    /// Weeks of ISO 8601.
    case weekly
    case monthly
    case yearly

    /// Those that make sense within a span of time.
    package static var withinSpans: [CalendarPeriod] { [.hourly, .daily, .weekly, .monthly, .yearly] }

    /// What it is one of: "a snapshot of the same …".
    package var noun: String {
        switch self {
        case .last: "snapshot"
        case .hourly: "hour"
        case .daily: "day"
        case .weekly: "week"
        case .monthly: "month"
        case .yearly: "year"
        }
    }

    /// Numbers that are equal exactly for snapshots of one stretch. An hour that the clock shows twice is one.
    ///
    /// - Parameter position: of the snapshot in its group, newest first.
    func bucket(of time: LocalTime, position: Int) -> Int64 {
        switch self {
        case .last: return Int64(position)
        case .hourly: return ((time.year * 100 + time.month) * 100 + time.day) * 100 + time.hour
        case .daily: return (time.year * 100 + time.month) * 100 + time.day
        case .weekly:
            let (year, week) = time.isoWeek
            return year * 100 + week
        case .monthly: return time.year * 100 + time.month
        case .yearly: return time.year
        }
    }
}
