import RepositoryFormat

/// Applies a policy to one group of snapshots, as restic's `ApplyPolicy` does (`internal/data/snapshot_policy.go`, 0.19).
struct RetentionEvaluation {
    /// A rule that counts or spans, with what it did so far.
    private struct Bucket {
        let period: CalendarPeriod
        /// How many more it may keep; nil for as many as there are.
        var left: Int?
        let count: KeepCount
        /// Keeps only what is younger than this.
        let span: CalendarSpan?
        /// The moment that the span names; nil keeps all.
        let limit: Timestamp?
        var latest: (bucket: Int64, id: ObjectID)?
    }

    private let policy: RetentionPolicy
    private let withinLimit: Timestamp?
    private var buckets: [Bucket]

    private init(_ policy: RetentionPolicy, _ candidates: [RetentionCandidate], _ clock: RetentionClock) {
        self.policy = policy
        // Without a snapshot of the past everything is young enough, as restic's zero time has it.
        let newest = candidates.first { Self.isAfter(clock.now, $0.time) }?.time
        withinLimit = policy.withinRule.flatMap { span in newest.map { clock.moment(span, before: $0) } }
        buckets = policy.countRules.map { period, count in
            var left: Int?
            if case .latest(let number) = count { left = number }
            return Bucket(period: period, left: left, count: count, span: nil, limit: nil)
        }
        buckets += policy.spanRules.map { period, span in
            Bucket(
                period: period, left: nil, count: .all, span: span,
                limit: newest.map { clock.moment(span, before: $0) })
        }
    }

    /// - Returns: a decision for each snapshot, newest first.
    static func decisions(
        _ group: [RetentionCandidate], policy: RetentionPolicy, clock: RetentionClock
    ) -> [RetentionDecision] {
        let candidates = group.sorted(by: RetentionCandidate.isNewer)
        var evaluation = RetentionEvaluation(policy, candidates, clock)
        return candidates.enumerated().map { position, candidate in
            evaluation.decide(candidate, position, isOldest: position == candidates.count - 1)
        }
    }

    private mutating func decide(_ candidate: RetentionCandidate, _ position: Int, isOldest: Bool) -> RetentionDecision
    {
        var decision = RetentionDecision(candidate: candidate, keep: [], remove: [])
        for list in policy.tags {
            if list.fits(candidate.tags) {
                decision.keep.append(.tags(list))
            } else {
                decision.remove.append(.tags(list))
            }
        }
        if let span = policy.withinRule {
            if withinLimit.map({ Self.isAfter(candidate.time, $0) }) ?? true {
                decision.keep.append(.within(span))
            } else {
                decision.remove.append(.older(than: span, period: nil))
            }
        }
        let local = LocalTime(candidate.time)
        for index in buckets.indices {
            let bucket = buckets[index].period.bucket(of: local, position: position)
            apply(&buckets[index], bucket, candidate, isOldest, &decision)
        }
        if candidate.isPinned { decision.keep.append(.pinned) }
        return decision
    }

    private func apply(
        _ rule: inout Bucket, _ bucket: Int64, _ candidate: RetentionCandidate, _ isOldest: Bool,
        _ decision: inout RetentionDecision
    ) {
        guard rule.left != 0 else { return decision.remove.append(.exhausted(rule.period, rule.count)) }
        if let span = rule.span, let limit = rule.limit, !Self.isAfter(candidate.time, limit) {
            return decision.remove.append(.older(than: span, period: rule.period))
        }
        let isNew = rule.latest?.bucket != bucket
        guard isNew || isOldest else {
            if let latest = rule.latest {
                decision.remove.append(.newerInPeriod(rule.period, latest.id, span: rule.span))
            }
            return
        }
        rule.latest = (bucket, candidate.id)
        if let left = rule.left { rule.left = left - 1 }
        if let span = rule.span {
            decision.keep.append(.periodWithin(rule.period, span, isOldest: !isNew))
        } else {
            decision.keep.append(.period(rule.period, isOldest: !isNew))
        }
    }

    private static func isAfter(_ left: Timestamp, _ right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) > (right.seconds, right.nanoseconds)
    }
}
