/// What to keep; a snapshot that any rule wants is kept.
package struct RetentionPolicy: Sendable, Hashable, CustomStringConvertible {
    /// Keep the newest snapshot of each of the latest hours, days and so on that have one; of `last`, the newest ones.
    package var counts: [CalendarPeriod: KeepCount] = [:]
    /// Keep everything younger than this, seen from the newest snapshot of the group.
    package var within: CalendarSpan?
    /// Keep the newest snapshot of each hour, day and so on that is younger than this, seen from the same.
    package var withinPeriods: [CalendarPeriod: CalendarSpan] = [:]
    /// Keep what has all tags of one of these lists.
    package var tags: [TagList] = []

    /// A policy without rules; it can be applied to nothing.
    package init() {}

    /// The counting rules, in restic's order.
    var countRules: [(period: CalendarPeriod, count: KeepCount)] {
        CalendarPeriod.allCases.compactMap { period in
            counts[period].flatMap { $0.isRule ? (period, $0) : nil }
        }
    }

    /// The rules of periods within spans, in restic's order.
    var spanRules: [(period: CalendarPeriod, span: CalendarSpan)] {
        CalendarPeriod.withinSpans.compactMap { period in
            withinPeriods[period].flatMap { $0.isEmpty ? nil : (period, $0) }
        }
    }

    /// The rule of everything within a span.
    var withinRule: CalendarSpan? { within.flatMap { $0.isEmpty ? nil : $0 } }

    /// True when there is no rule: counts of 0 and empty spans are none.
    package var isEmpty: Bool { countRules.isEmpty && spanRules.isEmpty && withinRule == nil && tags.isEmpty }

    /// The rules as the options that set them: `--keep-last 3 --keep-within 7d`.
    package var description: String {
        var words = countRules.map { "--keep-\($0.period.rawValue) \($0.count)" }
        if let withinRule { words.append("--keep-within \(withinRule)") }
        words += spanRules.map { "--keep-within-\($0.period.rawValue) \($0.span)" }
        words += tags.map { "--keep-tag \($0.tags.joined(separator: ","))" }
        return words.joined(separator: " ")
    }
}
