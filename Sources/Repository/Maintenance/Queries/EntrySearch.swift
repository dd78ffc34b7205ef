package import Repository
package import RepositoryFormat
package import Threads

/// Finds entries of snapshots by name, kind, size and time.
package final class EntrySearch {
    /// What an entry has to be; everything that is set has to hold.
    package struct Conditions: Sendable {
        /// One of them has to fit; none means that all do.
        package var patterns: [EntryPattern] = []
        package var kinds: Set<TreeNode.Kind> = []
        /// Times of modification, both included.
        package var oldest: Timestamp?
        package var newest: Timestamp?
        /// Bytes of files, both included; other entries have no size and do not fit.
        package var minimumByteCount: UInt64?
        package var maximumByteCount: UInt64?

        package init() {}

        /// Without paths a directory holds the same findings wherever it stands.
        var isIndependentOfPath: Bool { patterns.allSatisfy(\.isNameOnly) }

        func fits(_ entry: SnapshotWalk.Entry) -> Bool {
            let node = entry.node
            if !kinds.isEmpty, !kinds.contains(node.kind) { return false }
            if let oldest, node.modified.isBefore(oldest) { return false }
            if let newest, newest.isBefore(node.modified) { return false }
            if minimumByteCount != nil || maximumByteCount != nil {
                guard node.kind == .file, node.size >= minimumByteCount ?? 0, node.size <= maximumByteCount ?? .max
                else { return false }
            }
            return patterns.isEmpty || patterns.contains { $0.matches(entry.path) }
        }
    }

    private let conditions: Conditions
    private let walk: SnapshotWalk
    /// Trees in which, and below which, nothing fits.
    private var barren: Set<ObjectID> = []

    /// The index of the repository must be loaded.
    package init(_ repository: OpenRepository, _ conditions: Conditions, cancellation: Cancellation) throws {
        self.conditions = conditions
        walk = try SnapshotWalk(repository, cancellation: cancellation)
    }

    /// Searches one snapshot; trees that held nothing in an earlier one are not looked at again.
    ///
    /// - Parameters:
    ///   - unreadable: told of each tree that is missing or damaged, with its path; the search goes on.
    ///   - found: told of each finding, in the order of the tree.
    package func run(
        _ snapshot: OpenRepository.Snapshot, unreadable: (ObjectID, [UInt8], any Error) throws -> Void,
        found: (SnapshotWalk.Entry) throws -> Void
    ) throws {
        let remembers = conditions.isIndependentOfPath
        guard !barren.contains(snapshot.record.tree) else { return }
        // Of each tree on the way down: how many findings there were when it was entered.
        var counts = [0]
        var count = 0
        try EntryPattern.withTextLocale {
            try walk.run(
                root: snapshot.record.tree,
                unreadable: { id, path, error in
                    counts.removeLast()
                    // What cannot be read may hold anything.
                    count += 1
                    try unreadable(id, path, error)
                },
                leave: { tree in
                    if counts.popLast() == count, remembers { barren.insert(tree) }
                },
                visit: { entry in
                    if conditions.fits(entry) {
                        count += 1
                        try found(entry)
                    }
                    guard entry.node.kind == .dir, let subtree = entry.node.subtree, !barren.contains(subtree) else {
                        return false
                    }
                    counts.append(count)
                    return true
                })
        }
    }
}

extension Timestamp {
    /// True for an earlier instant, wherever the clocks hung.
    func isBefore(_ other: Timestamp) -> Bool {
        (seconds, nanoseconds) < (other.seconds, other.nanoseconds)
    }
}
