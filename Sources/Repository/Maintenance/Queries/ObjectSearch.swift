package import Repository
package import RepositoryFormat
package import Threads

/// Finds which entries of snapshots need a blob, a tree, or anything in a pack: what damage to it would cost.
package final class ObjectSearch {
    /// An object and one place that needs it.
    package struct Finding: Sendable, Hashable {
        package let id: ObjectID
        package let kind: BlobKind
        /// Absolute within the snapshot; `/` for its root.
        package let path: [UInt8]
        /// The tree that lists the entry; nil for the root.
        package let parent: ObjectID?
        /// The pack in which the object lies; nil when no index knows it.
        package let pack: ObjectID?
    }

    private let repository: OpenRepository
    private let walk: SnapshotWalk
    private var names: [BlobKind: ObjectNames] = [:]

    /// Searches for objects by their ids.
    ///
    /// - Parameters:
    ///   - blobs: ids of blobs of files.
    ///   - trees: ids of trees.
    package init(
        _ repository: OpenRepository, blobs: ObjectNames, trees: ObjectNames, cancellation: Cancellation
    ) throws {
        self.repository = repository
        walk = try SnapshotWalk(repository, cancellation: cancellation)
        names = [.data: blobs, .tree: trees]
    }

    /// Searches for everything in some packs.
    ///
    /// - Throws: ``MaintenanceError/Code/notFound`` when a name fits no pack of the index; errors of the store.
    package convenience init(_ repository: OpenRepository, packs: ObjectNames, cancellation: Cancellation) throws {
        let found = Condition((blobs: ObjectNames(), trees: ObjectNames(), packs: Set<ObjectID>()))
        try repository.forEachIndexedPack(cancellation: cancellation) { _, pack, blobs in
            guard packs.contains(pack) else { return }
            found.withLockQuietly { found in
                found.packs.insert(pack)
                for blob in blobs {
                    if blob.kind == .data { found.blobs.insert(blob.id) } else { found.trees.insert(blob.id) }
                }
            }
        }
        let result = found.withLockQuietly { $0 }
        for prefix in packs.texts where !result.packs.contains(where: { $0.hexadecimal.hasPrefix(prefix) }) {
            throw MaintenanceError.noPack(prefix)
        }
        try self.init(repository, blobs: result.blobs, trees: result.trees, cancellation: cancellation)
    }

    /// Searches one snapshot.
    ///
    /// - Parameters:
    ///   - unreadable: told of each tree that is missing or damaged; the search goes on.
    ///   - found: told of each finding, a file once for each different blob.
    package func run(
        _ snapshot: OpenRepository.Snapshot, unreadable: (ObjectID, [UInt8], any Error) throws -> Void,
        found: (Finding) throws -> Void
    ) throws {
        let (blobs, trees) = (names[.data] ?? ObjectNames(), names[.tree] ?? ObjectNames())
        let root = snapshot.record.tree
        if trees.contains(root) { try found(finding(root, .tree, [0x2F], nil)) }
        try walk.run(root: root, unreadable: unreadable) { entry in
            if let subtree = entry.node.subtree, trees.contains(subtree) {
                try found(finding(subtree, .tree, entry.path, entry.tree))
            }
            if !blobs.isEmpty {
                var told: Set<ObjectID> = []
                for id in entry.node.content ?? [] where blobs.contains(id) && told.insert(id).inserted {
                    try found(finding(id, .data, entry.path, entry.tree))
                }
            }
            return true
        }
    }

    private func finding(_ id: ObjectID, _ kind: BlobKind, _ path: [UInt8], _ parent: ObjectID?) -> Finding {
        Finding(
            id: id, kind: kind, path: path, parent: parent, pack: repository.index.location(of: id, kind)?.pack)
    }
}
