import Repository
import RepositoryFormat
import Threads

/// Counts while two trees are compared.
struct DiffTally {
    private struct Blobs {
        var data: Set<ObjectID> = []
        var trees: Set<ObjectID> = []
        var isEmpty: Bool { data.isEmpty && trees.isEmpty }

        mutating func insert(_ node: TreeNode) {
            if node.kind == .file { data.formUnion(node.content ?? []) }
            if node.kind == .dir, let subtree = node.subtree { trees.insert(subtree) }
        }

        mutating func remove(_ node: TreeNode) {
            if node.kind == .file { for id in node.content ?? [] { data.remove(id) } }
            if node.kind == .dir, let subtree = node.subtree { trees.remove(subtree) }
        }

        mutating func subtract(_ other: Blobs) {
            data.subtract(other.data)
            trees.subtract(other.trees)
        }
    }

    var statistics = DiffStatistics()
    /// Trees that both sides have at the same path.
    var common: [ObjectID] = []
    private var before = Blobs()
    private var after = Blobs()

    mutating func insert(tree: ObjectID, isNew: Bool) {
        if isNew { after.trees.insert(tree) } else { before.trees.insert(tree) }
    }

    /// Takes in the entries of one name.
    mutating func add(_ left: TreeNode?, _ right: TreeNode?) {
        if let left { before.insert(left) }
        if let right { after.insert(right) }
        if left == nil, let right { Self.count(right, &statistics.added) }
        if right == nil, let left { Self.count(left, &statistics.removed) }
    }

    private static func count(_ node: TreeNode, _ side: inout DiffStatistics.Side) {
        switch node.kind {
        case .file: side.files += 1
        case .dir: side.directories += 1
        default: side.others += 1
        }
    }

    /// The blobs that one side has and the other has not, wherever they stand: what did not change is read, until it
    /// cannot matter any more.
    mutating func statistics(
        _ repository: OpenRepository, _ loader: BlobLoader, _ cancellation: Cancellation,
        _ unreadable: (ObjectID, [UInt8], any Error) throws -> Void
    ) throws -> DiffStatistics {
        var (removed, added) = (before, after)
        removed.subtract(after)
        added.subtract(before)
        var visited: Set<ObjectID> = []
        var rest = common
        while let tree = rest.popLast(), !removed.isEmpty || !added.isEmpty {
            guard visited.insert(tree).inserted else { continue }
            try cancellation.check()
            do {
                for node in try loader.loadTree(tree) {
                    removed.remove(node)
                    added.remove(node)
                    if node.kind == .dir, let subtree = node.subtree { rest.append(subtree) }
                }
            } catch let error as RepositoryError {
                try unreadable(tree, [], error)
            }
        }
        Self.count(removed, repository, &statistics.removed)
        Self.count(added, repository, &statistics.added)
        return statistics
    }

    private static func count(_ blobs: Blobs, _ repository: OpenRepository, _ side: inout DiffStatistics.Side) {
        for (kind, ids) in [(BlobKind.data, blobs.data), (.tree, blobs.trees)] {
            for id in ids {
                // A blob that is missing is damage, of which a check tells; it has no size.
                side.byteCount.addClamped(UInt64(repository.index.contentByteCount(of: id, kind) ?? 0))
            }
        }
        side.dataBlobs = blobs.data.count
        side.treeBlobs = blobs.trees.count
    }
}
