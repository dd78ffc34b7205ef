package import RepositoryFormat

/// Why a snapshot is kept. The sentences of the first four kinds are restic's, so that both can be compared.
package enum KeepReason: Sendable, Hashable, CustomStringConvertible {
    /// It has all tags of a list.
    case tags(TagList)
    /// It is younger than a span, seen from the newest of its group.
    case within(CalendarSpan)
    /// It is one of the latest of a period. `isOldest`: not the newest of its hour, day and so on, but the oldest of its
    /// group while the rule has not kept as many as it may, so that as much history as possible is kept.
    case period(CalendarPeriod, isOldest: Bool)
    /// It is one of a period and younger than a span; `isOldest` as above.
    case periodWithin(CalendarPeriod, CalendarSpan, isOldest: Bool)
    /// It is pinned.
    case pinned
    /// It belongs to a whole of which another part is kept.
    case partOf(String)

    /// True when it is kept for being the oldest of its group, which restic before 0.16 does not do.
    package var isForOldest: Bool {
        switch self {
        case .period(_, let isOldest), .periodWithin(_, _, let isOldest): isOldest
        default: false
        }
    }

    package var description: String {
        switch self {
        case .tags(let list): "has tags \(list)"
        case .within(let span): "within \(span)"
        case .period(let period, let isOldest): "\(isOldest ? "oldest " : "")\(period.rawValue) snapshot"
        case .periodWithin(let period, let span, let isOldest):
            "\(isOldest ? "oldest " : "")\(period.rawValue) within \(span)"
        case .pinned: "pinned"
        case .partOf(let whole): "part of \(whole)"
        }
    }
}

/// Why a rule does not keep a snapshot.
package enum RemoveReason: Sendable, Hashable, CustomStringConvertible {
    /// It lacks a tag of a list.
    case tags(TagList)
    /// It is older than a span, seen from the newest of its group.
    case older(than: CalendarSpan, period: CalendarPeriod?)
    /// The rule kept as many newer ones as it may.
    case exhausted(CalendarPeriod, KeepCount)
    /// The rule kept a newer one of the same hour, day and so on.
    case newerInPeriod(CalendarPeriod, ObjectID, span: CalendarSpan?)
    /// Somebody named it.
    case named

    package var description: String {
        switch self {
        case .tags(let list): "lacks one of the tags \(list)"
        case .older(let span, let period):
            "older than \(span) before the newest" + (period.map { " (\($0.rawValue))" } ?? "")
        case .exhausted(let period, let count): "\(count) \(period.rawValue) snapshots are newer"
        case .newerInPeriod(let period, let id, let span):
            "\(id.short) is newer in the same \(period.noun)" + (span.map { " (within \($0))" } ?? "")
        case .named: "named by its id"
        }
    }
}

/// What becomes of a snapshot, and why.
package struct RetentionDecision: Sendable, Hashable {
    package let candidate: RetentionCandidate
    /// Every rule that keeps it; empty when it is to be removed.
    package internal(set) var keep: [KeepReason]
    /// Why each rule does not keep it; of a snapshot that is kept, why the others would not.
    package internal(set) var remove: [RemoveReason]

    /// True when anything keeps it.
    package var isKept: Bool { !keep.isEmpty }
}
