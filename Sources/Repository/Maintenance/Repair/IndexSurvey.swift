import ObjectStorage
import Repository
import RepositoryFormat
import Synchronization
import Threads

/// What each index file says, and what is stored.
struct IndexSurvey: Sendable {
    /// One index file.
    struct File: Sendable {
        let id: ObjectID
        let packs: [ObjectID]
    }

    /// The index files that can be read, by their ids.
    var files: [File] = []
    /// The others, and why.
    var unreadable: [(id: ObjectID, reason: String)] = []
    /// What they say of each pack.
    var packs: [ObjectID: PackTable.Entry] = [:]
    /// All packs in the store and their sizes.
    var stored: [ObjectID: Int64] = [:]

    /// Reads everything; each pack with its blobs goes to `pack`, from several threads.
    ///
    /// - Throws: errors of the store that say nothing about an index file; ``MaintenanceError/Code/refused`` when the
    ///   store's lists cannot be believed.
    init(
        _ repository: OpenRepository, cancellation: Cancellation,
        pack: @escaping @Sendable (ObjectID, [PackedBlob]) -> Void = { _, _ in }
    ) throws {
        let table = PackTable()
        let found = Mutex((files: [File](), unreadable: [(id: ObjectID, reason: String)]()))
        try repository.forEachConcurrently(
            try repository.ids(of: .index), cancellation: cancellation, name: "index"
        ) { id in
            var packs: [ObjectID] = []
            do {
                let bytes = try repository.loadUnpacked(.index, id)
                // As a whole or not at all: half an index file is none.
                var listed: [(ObjectID, [PackedBlob])] = []
                try bytes.withUnsafeBytes { bytes in
                    try IndexDocument.forEachPack(in: bytes) { pack, blobs in listed.append((pack, blobs)) }
                }
                for (id, blobs) in listed {
                    table.insert(id, blobs)
                    pack(id, blobs)
                    packs.append(id)
                }
            } catch {
                guard BlobLoader.isDamage(error) || error is FormatError else { throw error }
                let reason = RepositoryCheck.clause(error)
                found.withLock { $0.unreadable.append((id, reason)) }
                return
            }
            let file = File(id: id, packs: packs)
            found.withLock { $0.files.append(file) }
        }
        (files, unreadable) = found.withLock { ($0.files, $0.unreadable) }
        files.sort { $0.id < $1.id }
        unreadable.sort { $0.id < $1.id }
        packs = table.entries
        for object in try repository.store.list(prefix: ObjectKind.pack.prefix) {
            if let id = ObjectKind.pack.id(of: object.key) { stored[id] = object.size }
        }
        try proveAbsence(repository, cancellation)
    }

    /// Makes sure that packs which are not listed are not there: a repair must never take an incomplete list, or a place
    /// that is not mounted, for a loss.
    private func proveAbsence(_ repository: OpenRepository, _ cancellation: Cancellation) throws {
        guard packs.isEmpty || !stored.isEmpty else { throw MaintenanceError.noPackAtAll(indexed: packs.count) }
        for id in packs.keys where stored[id] == nil {
            try cancellation.check()
            do { _ = try repository.store.size(of: ObjectKind.pack.key(id)) } catch let error as ObjectStoreError
                where error.code == .notFound
            { continue }
            throw MaintenanceError.partialListing("pack \(id.hexadecimal)")
        }
    }
}
