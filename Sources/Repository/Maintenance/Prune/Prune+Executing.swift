import ObjectStorage
import Repository
import RepositoryFormat
import Synchronization
import Threads

extension Prune {
    /// Carries out a plan, once.
    ///
    /// At no moment is a blob that a snapshot needs in no pack, or its pack in no index: packs that no index names go
    /// first; then new packs are stored, then their index, both are seen to be there, then the new index files, then
    /// the old index files go, then the old packs. Whoever is killed in between leaves blobs twice and packs without an
    /// index, which the next prune puts right.
    ///
    /// - Throws: ``MaintenanceError`` when a blob cannot be read, or the store does not have what it took; errors of
    ///   the store; cancellation. What was not finished costs space only.
    package func execute(_ plan: PrunePlan) throws {
        try repository.requireWritable()
        do { try executeAtOnce(plan) } catch let error where Self.isFull(error) { try executeInSteps(plan) }
    }

    func executeAtOnce(_ plan: PrunePlan) throws {
        let inventory = plan.inventory
        try delete(plan.packs.filter { $0.reason == .unindexed })
        try repack(plan, inventory)
        let rewrite = inventory.tables.withLock { tables in
            IndexRewrite(tables, excluding: Self.excluded(plan.packs, tables))
        }
        progress(PruneProgress(phase: .rewrite, done: 0, total: rewrite.fileCount))
        try rewrite.run(repository, inventory, cancellation: cancellation)
        progress(PruneProgress(phase: .rewrite, done: rewrite.fileCount, total: rewrite.fileCount))
        try delete(plan.packs.filter { $0.action != .keep && $0.reason != .unindexed && $0.reason != .absent })
    }

    func delete(_ packs: [PrunePlan.Pack]) throws {
        let done = Mutex(0)
        try repository.forEachConcurrently(packs, cancellation: cancellation, name: "delete") { pack in
            try self.repository.store.delete(ObjectKind.pack.key(pack.id))
            let count = done.withLock { done in
                done += 1
                return done
            }
            self.progress(PruneProgress(phase: .delete, done: count, total: packs.count))
        }
    }

    /// Copies what is needed out of packs that go, and makes sure of it.
    private func repack(_ plan: PrunePlan, _ inventory: PackInventory) throws {
        let (packs, oldPackCount, oldFiles) = inventory.tables.withLock { tables in
            (
                plan.packs.filter { $0.action == .repack }.compactMap { tables.packNumbers[$0.id] },
                tables.packs.count, Set(tables.files.map(\.id))
            )
        }
        guard !packs.isEmpty else { return }
        let saver = try BlobSaver(repository, cancellation: cancellation)
        let rewriter = PackRewriter(
            from: repository, to: repository, inventory, saver, cancellation: cancellation)
        let done = Mutex(0)
        do {
            try rewriter.run(packs, of: { inventory.wanted(ofPack: $0) }) {
                let count = done.withLock { done in
                    done += 1
                    return done
                }
                self.progress(PruneProgress(phase: .repack, done: count, total: packs.count))
            }
        } catch {
            // The first error counts; what was stored so far is in no index or there twice.
            try? saver.finish(discarding: true)
            throw error
        }
        try saver.finish()
        // The new index files as the store has them: what they name is what will be found by everybody else.
        let newFiles = try repository.ids(of: .index).filter { !oldFiles.contains($0) }
        try inventory.load(newFiles, of: repository, cancellation: cancellation)
        try prove(packs, oldPackCount: oldPackCount, inventory)
    }

    /// Every new pack is in the store, and every blob that was to be copied is in one of them.
    private func prove(_ packs: [UInt32], oldPackCount: Int, _ inventory: PackInventory) throws {
        let new = inventory.tables.withLock { $0.packs[oldPackCount...] }
        try repository.forEachConcurrently(Array(new), cancellation: cancellation, name: "verify") { pack in
            try self.repository.requireStored(pack.id, byteCount: pack.byteCount)
        }
        try inventory.tables.withLock { tables in
            for number in tables.packs.indices.dropFirst(oldPackCount) {
                for range in tables.ranges(of: UInt32(truncatingIfNeeded: number)) {
                    for index in range { tables.blobs[Int(tables.places[index].blob)].flags.insert(.copied) }
                }
            }
            for pack in packs {
                for range in tables.ranges(of: pack) {
                    for index in range {
                        let blob = tables.blobs[Int(tables.places[index].blob)]
                        guard !blob.flags.contains(.used) || !blob.flags.isDisjoint(with: [.kept, .copied]) else {
                            throw MaintenanceError.notStored("copy of blob \(blob.id.hexadecimal)")
                        }
                    }
                }
            }
        }
    }
}

extension PackInventory {
    /// The blobs of a pack that have to be copied before it goes, in the order of their offsets.
    ///
    /// - Parameter flags: what a blob must be marked with.
    func wanted(ofPack pack: UInt32, with flags: Flags = .used) -> PackRewriter.Request {
        tables.withLock { tables in
            var blobs: [PackedBlob] = []
            for range in tables.ranges(of: pack) {
                for index in range {
                    let place = tables.places[index]
                    let blob = tables.blobs[Int(place.blob)]
                    guard blob.flags.isSuperset(of: flags), blob.flags.isDisjoint(with: [.kept, .copied]),
                        Int(blob.place) == index
                    else { continue }
                    blobs.append(tables.packedBlob(place))
                }
            }
            blobs.sort { $0.offset < $1.offset }
            let pack = tables.packs[Int(pack)]
            return PackRewriter.Request(pack: pack.id, byteCount: pack.byteCount, blobs: blobs)
        }
    }
}
