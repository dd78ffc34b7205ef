/// What a policy keeps and removes of a set of snapshots.
package struct RetentionPlan: Sendable, Hashable {
    /// A group and what becomes of its snapshots.
    package struct Group: Sendable, Hashable {
        package let key: SnapshotGrouping.Key
        /// Newest first.
        package internal(set) var decisions: [RetentionDecision]
    }

    /// In the order of their keys' texts; none is empty.
    package private(set) var groups: [Group]

    /// The snapshots that stay, of those that were considered.
    package var kept: [RetentionCandidate] { groups.flatMap(\.decisions).filter(\.isKept).map(\.candidate) }

    /// The snapshots to be removed.
    package var removed: [RetentionCandidate] { groups.flatMap(\.decisions).filter { !$0.isKept }.map(\.candidate) }

    /// Applies a policy to each group of the snapshots that pass the filter.
    ///
    /// Parts of one whole are kept together: where one stays, all do. Pinned snapshots stay, and take nobody's place.
    ///
    /// - Throws: ``RetentionError/Code/noRules``; ``RetentionError/Code/keepsNothing`` when a group would lose everything:
    ///   nothing at all may be removed then.
    package init(
        _ candidates: [RetentionCandidate], policy: RetentionPolicy, filter: SnapshotFilter = SnapshotFilter(),
        grouping: SnapshotGrouping = .standard, clock: RetentionClock
    ) throws {
        guard !policy.isEmpty else { throw RetentionError.noRules }
        let grouped = Dictionary(grouping: candidates.filter(filter.passes), by: grouping.key(of:))
        groups = grouped.map { key, members in
            Group(key: key, decisions: RetentionEvaluation.decisions(members, policy: policy, clock: clock))
        }.sorted { $0.key.description < $1.key.description }
        keepWholesTogether()
        for group in groups where !group.decisions.contains(where: \.isKept) {
            throw RetentionError.keepsNothing("(\(group.key))", count: group.decisions.count)
        }
    }

    private mutating func keepWholesTogether() {
        let keptWholes = Set(kept.compactMap(\.whole))
        for group in groups.indices {
            for index in groups[group].decisions.indices {
                let decision = groups[group].decisions[index]
                guard !decision.isKept, let whole = decision.candidate.whole, keptWholes.contains(whole) else {
                    continue
                }
                groups[group].decisions[index].keep = [.partOf(whole)]
            }
        }
    }
}
