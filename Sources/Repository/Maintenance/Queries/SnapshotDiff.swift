package import Repository
package import RepositoryFormat
package import Threads

/// Compares two trees; directories with equal ids are equal and not looked into.
package final class SnapshotDiff {
    /// What happened to one entry, in restic's letters (manual, "Comparing Snapshots").
    package struct Change: Sendable, Hashable {
        /// Absolute within the snapshot, with a slash at the end for a directory.
        package let path: [UInt8]
        /// `+` added, `-` removed, `M` content, `T` kind of entry, `U` metadata only, `?` behind `M`: the content changed
        /// and nothing else did, not even a time.
        package let modifier: String
    }

    private struct Frame {
        let left: [TreeNode]
        let right: [TreeNode]
        let path: [UInt8]
        var leftPosition = 0
        var rightPosition = 0

        /// The next name with the entries that have it.
        mutating func next() -> (TreeNode?, TreeNode?)? {
            let a = leftPosition < left.count ? left[leftPosition] : nil
            let b = rightPosition < right.count ? right[rightPosition] : nil
            guard let a, let b else {
                if a != nil { leftPosition += 1 } else if b != nil { rightPosition += 1 } else { return nil }
                return (a, b)
            }
            if a.name == b.name {
                leftPosition += 1
                rightPosition += 1
                return (a, b)
            }
            if a.name.lexicographicallyPrecedes(b.name) {
                leftPosition += 1
                return (a, nil)
            }
            rightPosition += 1
            return (nil, b)
        }
    }

    private let repository: OpenRepository
    private let showsMetadata: Bool
    private let cancellation: Cancellation
    private let loader: BlobLoader
    private let unreadable: (ObjectID, [UInt8], any Error) throws -> Void
    private var tally = DiffTally()
    private var stack: [Frame] = []

    /// The index of the repository must be loaded.
    ///
    /// - Parameters:
    ///   - showsMetadata: also tell of entries of which only owner, mode, times or attributes differ.
    ///   - unreadable: told of each tree that is missing or damaged; it counts as empty unless this throws.
    package init(
        _ repository: OpenRepository, showsMetadata: Bool, cancellation: Cancellation,
        unreadable: @escaping (ObjectID, [UInt8], any Error) throws -> Void = { throw $2 }
    ) throws {
        self.repository = repository
        self.showsMetadata = showsMetadata
        self.cancellation = cancellation
        self.unreadable = unreadable
        loader = try BlobLoader(repository)
    }

    /// Compares.
    ///
    /// - Parameters:
    ///   - path: of both trees, without a slash at the end; empty for the top.
    ///   - counting: compute the statistics, for which what did not change may have to be read, too.
    ///   - change: told of each change, a directory before what is in it, names in the order of their bytes.
    /// - Returns: nil without `counting`.
    package func run(
        from old: ObjectID, to new: ObjectID, path: [UInt8] = [], counting: Bool = true,
        change: (Change) throws -> Void
    ) throws -> DiffStatistics? {
        tally = DiffTally()
        tally.insert(tree: old, isNew: false)
        tally.insert(tree: new, isNew: true)
        if old == new { tally.common.append(old) } else { try enter(old, new, path) }
        while let position = stack.indices.last {
            let directory = stack[position].path
            guard let (left, right) = stack[position].next() else {
                stack.removeLast()
                continue
            }
            try compare(left, right, directory, change)
        }
        return counting ? try tally.statistics(repository, loader, cancellation, unreadable) : nil
    }

    private func compare(
        _ left: TreeNode?, _ right: TreeNode?, _ directory: [UInt8], _ change: (Change) throws -> Void
    ) throws {
        guard let node = right ?? left else { return }
        tally.add(left, right)
        let path = directory + [0x2F] + node.name
        let modifier = Self.modifier(from: left, to: right, showsMetadata: showsMetadata)
        if modifier.hasPrefix("M") { tally.statistics.changedFiles += 1 }
        if !modifier.isEmpty {
            try change(Change(path: node.kind == .dir ? path + [0x2F] : path, modifier: modifier))
        }
        switch (left, right) {
        case (let left?, let right?):
            guard left.kind == .dir, right.kind == .dir, let a = left.subtree, let b = right.subtree else { return }
            if a == b { tally.common.append(a) } else { try enter(a, b, path) }
        default:
            if node.kind == .dir { try enter(left?.subtree, right?.subtree, path) }
        }
    }

    /// The letters for the entries of one name; empty for no change that is told of.
    package static func modifier(from left: TreeNode?, to right: TreeNode?, showsMetadata: Bool) -> String {
        guard let left else { return "+" }
        guard let right else { return "-" }
        let text = left.kind == right.kind ? "" : "T"
        if left.kind == .file, right.kind == .file, (left.content ?? []) != (right.content ?? []) {
            var same = right
            same.content = left.content
            return left.isSame(as: same) ? "M?" : "M"
        }
        return showsMetadata && !left.isSame(as: right) ? text + "U" : text
    }

    private func enter(_ left: ObjectID?, _ right: ObjectID?, _ path: [UInt8]) throws {
        try cancellation.check()
        stack.append(Frame(left: try nodes(left, path), right: try nodes(right, path), path: path))
    }

    private func nodes(_ tree: ObjectID?, _ path: [UInt8]) throws -> [TreeNode] {
        guard let tree else { return [] }
        do { return try loader.loadTree(tree) } catch let error as RepositoryError {
            try unreadable(tree, path, error)
            return []
        }
    }
}

extension TreeNode {
    /// Whether everything that is stored is equal, times by their instant.
    fileprivate func isSame(as other: TreeNode) -> Bool {
        guard modified.isSameInstant(as: other.modified), accessed.isSameInstant(as: other.accessed),
            changed.isSameInstant(as: other.changed)
        else { return false }
        var aligned = other
        (aligned.modified, aligned.accessed, aligned.changed) = (modified, accessed, changed)
        aligned.content = content ?? [] == other.content ?? [] ? content : other.content
        return self == aligned
    }
}
