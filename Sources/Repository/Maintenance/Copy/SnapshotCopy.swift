import ObjectStorage
package import Repository
package import RepositoryFormat
import Synchronization
package import Threads

/// Copies snapshots, with what they need, from one repository to another.
///
/// The caller holds a lock on both, and has loaded the target's index. Chunks are copied as they are: where both
/// repositories cut files by the same polynomial, copies and backups share what they have in common.
package struct SnapshotCopy: Sendable {
    /// How far a copy has come.
    package struct Progress: Sendable, Hashable {
        /// The steps in their order; the last two for each batch of snapshots.
        package enum Phase: String, Sendable { case index, trees, copy }
        /// The step at work.
        package let phase: Phase
        /// Index files, trees, or packs of the batch that are done.
        package let done: Int
        /// Nil while nobody knows.
        package let total: Int?
    }

    /// What was done.
    package struct Outcome: Sendable {
        /// The snapshots that were copied and their names in the target, in the order in which they came to be.
        package var copied: [(source: ObjectID, target: ObjectID)] = []
        /// How many blobs the target lacked.
        package var blobs: UInt64 = 0
        /// Their bytes as content, and as they were stored.
        package var addedByteCount: UInt64 = 0
        package var storedByteCount: UInt64 = 0
    }

    private let source: OpenRepository
    private let target: OpenRepository
    private let batchByteCount: UInt64
    private let cancellation: Cancellation
    private let progress: @Sendable (Progress) -> Void

    /// - Parameters:
    ///   - batchByteCount: after so many bytes the snapshots that are complete are stored, so that a copy that is stopped
    ///     goes on from there.
    ///   - progress: called from several threads.
    package init(
        from source: OpenRepository, to target: OpenRepository, batchByteCount: UInt64 = 1 << 30,
        cancellation: Cancellation, progress: @escaping @Sendable (Progress) -> Void = { _ in }
    ) {
        self.source = source
        self.target = target
        self.batchByteCount = batchByteCount
        self.cancellation = cancellation
        self.progress = progress
    }

    /// Tells snapshots that are still to be copied from those that the target has.
    ///
    /// A snapshot keeps the name it had at first in its member `original`, which finds its copies again: restic's rule.
    ///
    /// - Returns: the ids in the target for those it has.
    package func missing(
        of snapshots: [OpenRepository.Snapshot]
    ) throws -> (missing: [OpenRepository.Snapshot], present: [(source: ObjectID, target: ObjectID)]) {
        var known: [ObjectID: [OpenRepository.Snapshot]] = [:]
        for snapshot in try target.snapshots(cancellation: cancellation) {
            known[snapshot.id, default: []].append(snapshot)
            if let original = snapshot.record.original { known[original, default: []].append(snapshot) }
        }
        var missing: [OpenRepository.Snapshot] = []
        var present: [(source: ObjectID, target: ObjectID)] = []
        for snapshot in snapshots {
            let candidates = known[snapshot.record.original ?? snapshot.id] ?? []
            if let copy = candidates.first(where: { $0.record.isCopy(of: snapshot.record) }) {
                present.append((snapshot.id, copy.id))
            } else {
                missing.append(snapshot)
            }
        }
        return (missing, present)
    }

    /// Copies snapshots.
    ///
    /// - Parameter saved: called with each snapshot and its name in the target, once it exists there.
    /// - Throws: ``MaintenanceError/Code/damaged`` for what cannot be read, after the snapshots before it were stored;
    ///   errors of both stores; cancellation. What was not finished costs the target space only.
    package func run(
        _ snapshots: [OpenRepository.Snapshot], saved: (OpenRepository.Snapshot, ObjectID) -> Void = { _, _ in }
    ) throws -> Outcome {
        var outcome = Outcome()
        guard !snapshots.isEmpty else { return outcome }
        try target.requireWritable()
        let inventory = try PackInventory(source, cancellation: cancellation) { done, total in
            progress(Progress(phase: .index, done: done, total: total))
        }
        let walk = UsedBlobWalk(source, inventory, cancellation: cancellation) { trees in
            progress(Progress(phase: .trees, done: trees, total: nil))
        }
        var batch = Batch()
        for snapshot in snapshots {
            do {
                try walk.mark([UsedBlobWalk.Root(snapshot: snapshot.id, tree: snapshot.record.tree)])
            } catch let error as MaintenanceError {
                try store(&batch, inventory, &outcome, saved)
                throw error
            }
            collect(inventory, into: &batch)
            batch.snapshots.append(snapshot)
            if batch.byteCount >= batchByteCount { try store(&batch, inventory, &outcome, saved) }
        }
        try store(&batch, inventory, &outcome, saved)
        return outcome
    }

    private struct Batch {
        var snapshots: [OpenRepository.Snapshot] = []
        var packs: Set<UInt32> = []
        var byteCount: UInt64 = 0
    }

    /// Takes what the walks have marked since the last time and the target lacks.
    private func collect(_ inventory: PackInventory, into batch: inout Batch) {
        inventory.tables.withLock { tables in
            for number in tables.blobs.indices {
                let blob = tables.blobs[number]
                guard blob.flags.contains(.used), blob.flags.isDisjoint(with: [.kept, .chosen]) else { continue }
                if target.index.contains(blob.id, blob.flags.contains(.tree) ? .tree : .data) {
                    tables.blobs[number].flags.insert(.kept)
                    continue
                }
                tables.blobs[number].flags.insert(.chosen)
                batch.packs.insert(tables.pack(ofPlace: blob.place))
                batch.byteCount += UInt64(tables.places[Int(blob.place)].length)
            }
        }
    }

    /// Copies the blobs of a batch, then stores its snapshots: a snapshot exists only once all it needs does.
    private func store(
        _ batch: inout Batch, _ inventory: PackInventory, _ outcome: inout Outcome,
        _ saved: (OpenRepository.Snapshot, ObjectID) -> Void
    ) throws {
        defer { batch = Batch() }
        if !batch.packs.isEmpty {
            let statistics = try copy(batch.packs, inventory)
            outcome.blobs += statistics.dataBlobs + statistics.treeBlobs
            outcome.addedByteCount += statistics.addedByteCount
            outcome.storedByteCount += statistics.packedByteCount
        }
        for snapshot in batch.snapshots {
            try cancellation.check()
            var record = snapshot.record
            // The parent is a snapshot of the other repository.
            record.parent = nil
            record.original = record.original ?? snapshot.id
            let id = try target.save(record)
            outcome.copied.append((snapshot.id, id))
            saved(snapshot, id)
        }
    }

    private func copy(_ packs: Set<UInt32>, _ inventory: PackInventory) throws -> BlobSaver.Statistics {
        let known = target.index.packs
        let saver = try BlobSaver(target, cancellation: cancellation)
        let rewriter = PackRewriter(from: source, to: target, inventory, saver, cancellation: cancellation)
        let done = Mutex(0)
        do {
            // In the order of their numbers: as the index files name them, which is about how they were written.
            try rewriter.run(packs.sorted(), of: { inventory.wanted(ofPack: $0, with: [.used, .chosen]) }) {
                let count = done.withLock { done in
                    done += 1
                    return done
                }
                self.progress(Progress(phase: .copy, done: count, total: packs.count))
            }
        } catch {
            // The first error counts; what was stored so far is found again when its index was.
            try? saver.finish(discarding: true)
            throw error
        }
        try saver.finish()
        let new = target.index.packs.filter { known[$0.key] == nil }
        try target.forEachConcurrently(Array(new), cancellation: cancellation, name: "verify") { pack, size in
            try self.target.requireStored(pack, byteCount: size)
        }
        try inventory.tables.withLock { tables in
            for number in tables.blobs.indices
            where tables.blobs[number].flags.isSuperset(of: [.used, .chosen])
                && !tables.blobs[number].flags.contains(.copied)
            {
                let blob = tables.blobs[number]
                guard target.index.contains(blob.id, blob.flags.contains(.tree) ? .tree : .data) else {
                    throw MaintenanceError.notStored("copy of blob \(blob.id.hexadecimal)")
                }
                tables.blobs[number].flags.insert(.copied)
            }
        }
        return saver.statistics
    }
}

extension SnapshotRecord {
    /// True when both say the same but for the parent and the original, of which a copy has others, and what the
    /// program that wrote them noted about itself.
    func isCopy(of other: SnapshotRecord) -> Bool {
        time == other.time && tree == other.tree && hostname == other.hostname && username == other.username
            && uid == other.uid && gid == other.gid && paths.sorted() == other.paths.sorted()
            && excludes == other.excludes && tags.sorted() == other.tags.sorted()
    }
}

extension OpenRepository {
    /// - Throws: ``MaintenanceError/Code/refused`` unless the store has the pack with this size.
    func requireStored(_ pack: ObjectID, byteCount: UInt64) throws {
        let size: Int64
        do { size = try store.size(of: ObjectKind.pack.key(pack)) } catch let error as ObjectStoreError
            where error.code == .notFound
        {
            throw MaintenanceError.notStored("pack \(pack.hexadecimal)")
        }
        guard UInt64(clamping: size) == byteCount else {
            throw MaintenanceError.notStored("pack \(pack.hexadecimal) with its \(byteCount) bytes")
        }
    }
}
