import ObjectStorage
package import Repository
package import RepositoryFormat
import Synchronization
package import Threads

/// Saves the intact blobs of damaged packs into new packs and removes the damaged ones.
///
/// The repository must be locked exclusively; its index must not be loaded. Each step leaves everything readable that
/// was: new packs and their index come first, then the index without the old packs, then the old packs go. Whoever was
/// stopped in between starts again.
package struct PackRepair: Sendable {
    /// What is to be done with one pack.
    package struct Pack: Sendable {
        package let id: ObjectID
        /// Bytes in the store; nil when the pack is missing.
        package var byteCount: Int64?
        /// What is wrong with the pack as a whole, clauses; empty when nothing is.
        package var problems: [String] = []
        /// Blobs that will be saved.
        package var intact: [PackedBlob] = []
        /// Blobs whose copy in the pack is damaged, but that another pack has intact.
        package var copied: [PackedBlob] = []
        /// Blobs of which no intact copy is known.
        package var lost: [PackedBlob] = []
    }

    /// What is to be done.
    package struct Plan: Sendable {
        package var packs: [Pack] = []
        /// Index files that name one of them and will be replaced.
        var files: [ObjectID] = []
        /// Index files that cannot be read: 'repair index' comes first then.
        package var unreadableIndexes: [ObjectID] = []
    }

    private let repository: OpenRepository
    private let cancellation: Cancellation
    private let progress: @Sendable (_ done: Int, _ total: Int) -> Void

    /// - Parameter progress: told of each pack that was read.
    package init(
        _ repository: OpenRepository, cancellation: Cancellation,
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) {
        self.repository = repository
        self.cancellation = cancellation
        self.progress = progress
    }

    /// Reads the packs and says what can be saved; changes nothing.
    ///
    /// - Parameter names: ids of packs, or their first digits.
    /// - Throws: ``MaintenanceError/Code/notFound`` for a name that no pack has; ``RepositoryError/Code/damaged`` when an
    ///   index cannot be read, as its packs would be unknown.
    package func plan(_ names: [String]) throws -> Plan {
        let index = repository.index
        let survey = try IndexSurvey(repository, cancellation: cancellation) { index.insert(pack: $0, blobs: $1) }
        if let (id, _) = survey.unreadable.first { throw MaintenanceError.repairIndexFirst(id) }
        let all = Set(survey.packs.keys).union(survey.stored.keys)
        var ids: [ObjectID] = []
        for name in names {
            let id = try Self.named(name, all)
            if !ids.contains(id) { ids.append(id) }
        }
        let loader = try BlobLoader(repository)
        let proof = try PackProof(repository, keepsIntact: true)
        let chosen = Set(ids)
        var plan = Plan()
        for id in ids {
            try cancellation.check()
            var pack = Pack(id: id, byteCount: survey.stored[id])
            var damaged = repository.index.blobs(of: [id])[id] ?? []
            if let size = pack.byteCount {
                let outcome = try proof.prove(id, size: size, indexed: survey.packs[id]?.blobCount ?? 0)
                pack.problems = outcome.problems
                pack.intact = outcome.intact
                damaged = outcome.damaged + outcome.misplaced
            } else {
                pack.problems = ["it is missing"]
            }
            plan.packs.append(pack)
            plan.packs[plan.packs.count - 1].lost = damaged
            progress(plan.packs.count, ids.count)
        }
        // A copy in a pack of the plan counts when it was found intact, one elsewhere when it can be read.
        let intact = Set(plan.packs.flatMap { $0.intact.map { Blob($0) } })
        for number in plan.packs.indices {
            var (copied, lost): ([PackedBlob], [PackedBlob]) = ([], [])
            for blob in plan.packs[number].lost {
                let hasCopy =
                    intact.contains(Blob(blob))
                    || index.locations(of: blob.id, blob.kind).contains { location in
                        !chosen.contains(location.pack) && (try? loader.load(location)) != nil
                    }
                if hasCopy { copied.append(blob) } else { lost.append(blob) }
            }
            (plan.packs[number].copied, plan.packs[number].lost) = (copied, lost)
        }
        plan.files = survey.files.filter { !chosen.isDisjoint(with: $0.packs) }.map(\.id)
        return plan
    }

    /// Carries out a plan of the same repair.
    ///
    /// - Throws: ``MaintenanceError/Code/refused`` when a blob that was intact could not be saved; nothing is removed then.
    package func execute(_ plan: Plan) throws {
        try repository.requireWritable()
        let chosen = Set(plan.packs.map(\.id))
        let wanted = Set(plan.packs.flatMap { $0.intact.map { Blob($0) } })
        try save(plan, wanted)
        try cancellation.check()
        var rewriting = IndexRewriting(repository, cancellation: cancellation)
        try rewriting.take(from: plan.files) { !chosen.contains($0) }
        try rewriting.finish(removing: plan.files)
        for pack in plan.packs where pack.byteCount != nil { try repository.store.delete(ObjectKind.pack.key(pack.id)) }
    }

    private struct Blob: Hashable {
        let id: ObjectID
        let kind: BlobKind
        init(_ blob: PackedBlob) { (id, kind) = (blob.id, blob.kind) }
    }

    /// Stores the intact blobs once more, also those of which the index knows a copy: nobody has read that.
    private func save(_ plan: Plan, _ wanted: Set<Blob>) throws {
        guard !wanted.isEmpty else { return }
        let target = try repository.withEmptyIndex()
        let saver = try BlobSaver(target, cancellation: cancellation)
        do {
            let worker = try BlobSaver.Worker(saver)
            let proof = try PackProof(repository)
            for pack in plan.packs {
                guard let size = pack.byteCount, !pack.intact.isEmpty else { continue }
                _ = try proof.prove(pack.id, size: size, indexed: pack.intact.count) { blob, content in
                    _ = try worker.save(content, blob.kind)
                }
            }
        } catch {
            // The failure that led here is the one to tell.
            try? saver.finish(discarding: true)
            throw error
        }
        try saver.finish()
        for blob in wanted where target.index.location(of: blob.id, blob.kind) == nil {
            throw MaintenanceError.notSaved(blob.id)
        }
    }

    private static func named(_ name: String, _ all: Set<ObjectID>) throws -> ObjectID {
        let digits = name.lowercased()
        if let id = ObjectID(hexadecimal: digits), all.contains(id) { return id }
        let matches = all.filter { $0.hexadecimal.hasPrefix(digits) }
        guard let first = matches.first, !digits.isEmpty else { throw MaintenanceError.noNamedPack(name) }
        guard matches.count == 1 else { throw MaintenanceError.ambiguousPack(name, matches.count) }
        return first
    }
}
