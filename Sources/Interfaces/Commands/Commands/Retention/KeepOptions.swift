import ArgumentParser
import Retention

/// The rules of a policy, named as restic names them.
struct KeepOptions: ParsableArguments {
    @Option(
        name: [.customShort("l"), .customLong("keep-last")],
        help: ArgumentHelp("Keep the latest n snapshots, or 'unlimited'.", valueName: "n")) var last: String?
    @Option(
        name: [.customShort("H"), .customLong("keep-hourly")],
        help: ArgumentHelp("Keep the newest of each of the latest n hours that have one.", valueName: "n"))
    var hourly: String?
    @Option(
        name: [.customShort("d"), .customLong("keep-daily")],
        help: ArgumentHelp("The same for days.", valueName: "n")) var daily: String?
    @Option(
        name: [.customShort("w"), .customLong("keep-weekly")],
        help: ArgumentHelp("The same for weeks, which begin on Monday.", valueName: "n")) var weekly: String?
    @Option(
        name: [.customShort("m"), .customLong("keep-monthly")],
        help: ArgumentHelp("The same for months.", valueName: "n")) var monthly: String?
    @Option(
        name: [.customShort("y"), .customLong("keep-yearly")],
        help: ArgumentHelp("The same for years.", valueName: "n")) var yearly: String?
    @Option(
        name: .customLong("keep-within"),
        help: ArgumentHelp(
            "Keep all that are at most this much older than the newest, e.g. 1y5m7d2h.", valueName: "span"))
    var within: String?
    @Option(
        name: .customLong("keep-within-hourly"),
        help: ArgumentHelp("Of those, the newest of each hour.", valueName: "span")) var withinHourly: String?
    @Option(
        name: .customLong("keep-within-daily"),
        help: ArgumentHelp("Of those, the newest of each day.", valueName: "span")) var withinDaily: String?
    @Option(
        name: .customLong("keep-within-weekly"),
        help: ArgumentHelp("Of those, the newest of each week.", valueName: "span")) var withinWeekly: String?
    @Option(
        name: .customLong("keep-within-monthly"),
        help: ArgumentHelp("Of those, the newest of each month.", valueName: "span")) var withinMonthly: String?
    @Option(
        name: .customLong("keep-within-yearly"),
        help: ArgumentHelp("Of those, the newest of each year.", valueName: "span")) var withinYearly: String?
    @Option(
        name: .customLong("keep-tag"),
        help: ArgumentHelp("Keep all with each of these tags; may be repeated.", valueName: "tag,…"))
    var tag: [String] = []

    /// - Throws: `RetentionError` `malformed`.
    func policy() throws -> RetentionPolicy {
        var policy = RetentionPolicy()
        let counts: [(CalendarPeriod, String?)] = [
            (.last, last), (.hourly, hourly), (.daily, daily), (.weekly, weekly), (.monthly, monthly),
            (.yearly, yearly),
        ]
        for (period, text) in counts { policy.counts[period] = try text.map { try KeepCount($0) } }
        policy.within = try within.map { try CalendarSpan($0) }
        let spans: [(CalendarPeriod, String?)] = [
            (.hourly, withinHourly), (.daily, withinDaily), (.weekly, withinWeekly), (.monthly, withinMonthly),
            (.yearly, withinYearly),
        ]
        for (period, text) in spans { policy.withinPeriods[period] = try text.map { try CalendarSpan($0) } }
        policy.tags = tag.map { TagList($0) }
        return policy
    }
}
