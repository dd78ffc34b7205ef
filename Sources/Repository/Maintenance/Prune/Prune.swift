import ObjectStorage
package import Repository
import RepositoryFormat
import Synchronization
package import Threads

/// Removes from a repository what no snapshot needs.
///
/// The caller holds an exclusive lock from before ``plan()`` until ``execute(_:)`` has ended. The repository's own
/// index is neither used nor kept up to date.
package struct Prune: Sendable {
    let repository: OpenRepository
    let options: PruneOptions
    let cancellation: Cancellation
    let progress: @Sendable (PruneProgress) -> Void

    /// - Parameter progress: called from several threads.
    package init(
        _ repository: OpenRepository, options: PruneOptions = PruneOptions(), cancellation: Cancellation,
        progress: @escaping @Sendable (PruneProgress) -> Void = { _ in }
    ) {
        self.repository = repository
        self.options = options
        self.cancellation = cancellation
        self.progress = progress
    }

    /// Finds out what is needed and decides about each pack; changes nothing.
    ///
    /// - Throws: ``MaintenanceError``: `damaged` when a snapshot, an index or a tree cannot be read, or when something
    ///   that a snapshot needs is missing; `refused` when the store's lists are incomplete. Errors of the store;
    ///   cancellation.
    package func plan() throws -> PrunePlan {
        // Snapshots before indexes: should somebody write although we hold the lock, the indexes know more, not less.
        let roots = try roots()
        let inventory = try PackInventory(repository, cancellation: cancellation) { done, total in
            progress(PruneProgress(phase: .index, done: done, total: total))
        }
        try UsedBlobWalk(repository, inventory, cancellation: cancellation) { trees in
            progress(PruneProgress(phase: .trees, done: trees, total: nil))
        }.mark(roots)
        return try plan(inventory, snapshots: roots.count)
    }

    /// Decides about each pack, over an inventory in which the blobs in use are marked.
    func plan(_ inventory: PackInventory, snapshots: Int) throws -> PrunePlan {
        let stored = try storedPacks(inventory)
        return try inventory.tables.withLock { tables in
            var planner = PrunePlanner(options)
            var (packs, statistics) = try planner.decide(&tables, stored: stored)
            statistics.snapshots = snapshots
            let excluded = Self.excluded(packs, tables)
            return PrunePlan(
                packs: packs, statistics: statistics,
                indexFilesReplaced: IndexRewrite(tables, excluding: excluded).fileCount, inventory: inventory)
        }
    }

    /// The numbers of the packs that no index is to name any more.
    static func excluded(_ packs: [PrunePlan.Pack], _ tables: PackInventory.Tables) -> Set<UInt32> {
        Set(packs.filter { $0.action != .keep }.compactMap { tables.packNumbers[$0.id] })
    }

    private func roots() throws -> [UsedBlobWalk.Root] {
        let listed = Set(try repository.ids(of: .snapshot))
        for id in options.knownSnapshots where !listed.contains(id) {
            guard try isAbsent(ObjectKind.snapshot.key(id)) else {
                throw MaintenanceError.partialListing("snapshot \(id.hexadecimal)")
            }
        }
        let snapshots = try repository.snapshots(cancellation: cancellation) { id, error in
            if let error = error as? ObjectStoreError, error.code != .notFound { throw error }
            if !options.ignoredSnapshots.contains(id) {
                throw MaintenanceError.unreadableSnapshot(id, cause: error)
            }
        }
        for id in listed.subtracting(snapshots.map(\.id)) where !options.ignoredSnapshots.contains(id) {
            throw MaintenanceError.partialListing("snapshot \(id.hexadecimal)")
        }
        return snapshots.filter { !options.ignoredSnapshots.contains($0.id) }.map {
            UsedBlobWalk.Root(snapshot: $0.id, tree: $0.record.tree)
        }
    }

    /// The packs of the store. Of each that an index names and the list lacks, the store is asked by name: garbage must
    /// never be concluded from a list that is incomplete.
    private func storedPacks(_ inventory: PackInventory) throws -> [ObjectID: Int64] {
        var stored: [ObjectID: Int64] = [:]
        for object in try repository.store.list(prefix: ObjectKind.pack.prefix) {
            if let id = ObjectKind.pack.id(of: object.key) { stored[id] = object.size }
        }
        let missing = inventory.tables.withLock { tables in tables.packs.map(\.id).filter { stored[$0] == nil } }
        for id in missing {
            try cancellation.check()
            guard try isAbsent(ObjectKind.pack.key(id)) else {
                throw MaintenanceError.partialListing("pack \(id.hexadecimal)")
            }
        }
        return stored
    }

    private func isAbsent(_ key: String) throws -> Bool {
        do {
            _ = try repository.store.size(of: key)
            return false
        } catch let error as ObjectStoreError where error.code == .notFound {
            return true
        }
    }
}
