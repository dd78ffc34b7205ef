import Maintenance
package import Repository
import RepositoryFormat
package import Retention
import SnapshotModel

/// What is to be forgotten: by a policy, or by name.
package struct ForgetRequest: Sendable {
    /// Names, or the filter for the policy.
    package var selection: SnapshotChoice
    /// Goes with no names.
    package var policy: RetentionPolicy
    package var grouping: SnapshotGrouping
    /// Whether the policy is also applied to snapshots that plain restic made.
    package var includesForeign: Bool

    package init(
        selection: SnapshotChoice, policy: RetentionPolicy = RetentionPolicy(),
        grouping: SnapshotGrouping = .standard, includesForeign: Bool = false
    ) {
        self.selection = selection
        self.policy = policy
        self.grouping = grouping
        self.includesForeign = includesForeign
    }
}

/// What a request to forget comes to; nothing is changed by making one.
package struct ForgetPlan: Sendable {
    /// The groups with a decision for each snapshot; empty when snapshots were named.
    package let groups: [RetentionPlan.Group]
    /// What goes, newest first or in the order named.
    package let removed: [OpenRepository.Snapshot]
    /// How many snapshots of plain restic the policy leaves alone.
    package let foreignCount: Int

    /// Decides.
    ///
    /// - Parameters:
    ///   - snapshots: all of the repository, oldest first.
    ///   - hostname: this host's, for `latest`.
    /// - Throws: `RetentionError` for a policy without rules or one that keeps nothing of a group; `MaintenanceError`
    ///   `refused` when a pinned snapshot is named; `RepositoryError` `notFound` and `ambiguous`.
    package init(
        _ request: ForgetRequest, snapshots: [OpenRepository.Snapshot], hostname: String, clock: RetentionClock
    ) throws {
        guard request.selection.names.isEmpty else {
            removed = try Self.named(request.selection, snapshots, hostname)
            (groups, foreignCount) = ([], 0)
            return
        }
        let candidates = snapshots.map { RetentionCandidate($0) }
        let considered = candidates.filter { candidate in
            request.includesForeign || SnapshotTags(decoding: candidate.tags) != nil
        }
        let plan = try RetentionPlan(
            considered, policy: request.policy, filter: request.selection.filter, grouping: request.grouping,
            clock: clock)
        groups = plan.groups
        let byID = Dictionary(snapshots.map { ($0.id, $0) }) { first, _ in first }
        removed = plan.removed.compactMap { byID[$0.id] }
        foreignCount =
            candidates.filter(request.selection.filter.passes).count
            - considered.filter(request.selection.filter.passes).count
    }

    /// The named snapshots and, of what consists of several, the other parts.
    private static func named(
        _ selection: SnapshotChoice, _ snapshots: [OpenRepository.Snapshot], _ hostname: String
    ) throws -> [OpenRepository.Snapshot] {
        var removed = try selection.found(in: snapshots, hostname: hostname)
        let wholes = Set(removed.compactMap { RetentionCandidate($0).whole })
        for snapshot in snapshots where !removed.contains(where: { $0.id == snapshot.id }) {
            if let whole = RetentionCandidate(snapshot).whole, wholes.contains(whole) { removed.append(snapshot) }
        }
        if let pinned = removed.first(where: { RetentionCandidate($0).isPinned }) {
            throw MaintenanceError.pinned(pinned.id)
        }
        return removed
    }
}
