import ObjectStorage
import Repository
import RepositoryFormat
import Threads

/// Replaces index files by others: everything new is stored before anything old is removed, so that at each moment the
/// index files together know every blob that they knew before.
struct IndexRewriting {
    /// Blobs of one index file; restic's own limit.
    private static let blobCount = 40_000

    let repository: OpenRepository
    let cancellation: Cancellation
    private var pending: [(id: ObjectID, blobs: [PackedBlob])] = []
    private var pendingBlobCount = 0
    /// The index files that were stored.
    private(set) var saved: [ObjectID] = []

    init(_ repository: OpenRepository, cancellation: Cancellation) {
        self.repository = repository
        self.cancellation = cancellation
    }

    /// Takes over what some index files say, but for packs that `keeps` refuses.
    mutating func take(from files: [ObjectID], keeps: (_ pack: ObjectID) -> Bool) throws {
        for file in files {
            try cancellation.check()
            var kept: [(id: ObjectID, blobs: [PackedBlob])] = []
            let bytes = try repository.loadUnpacked(.index, file)
            try bytes.withUnsafeBytes { bytes in
                try IndexDocument.forEachPack(in: bytes) { pack, blobs in
                    if keeps(pack) { kept.append((pack, blobs)) }
                }
            }
            for (pack, blobs) in kept { try add(pack, blobs) }
        }
    }

    /// Adds a pack.
    mutating func add(_ pack: ObjectID, _ blobs: [PackedBlob]) throws {
        pending.append((pack, blobs))
        pendingBlobCount += blobs.count
        if pendingBlobCount >= Self.blobCount { try save() }
    }

    /// Stores what is left, then removes old index files.
    mutating func finish(removing files: [ObjectID]) throws {
        try save()
        try cancellation.check()
        let new = Set(saved)
        for file in files where !new.contains(file) { try repository.store.delete(ObjectKind.index.key(file)) }
    }

    private mutating func save() throws {
        guard !pending.isEmpty else { return }
        try cancellation.check()
        saved.append(try repository.saveUnpacked(.index, IndexDocument.encoded(pending)))
        pending = []
        pendingBlobCount = 0
    }
}
