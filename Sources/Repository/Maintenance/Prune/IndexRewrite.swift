import ObjectStorage
import Repository
import RepositoryFormat
import Synchronization
import Threads

/// Replaces index files that name packs which go, and joins small ones.
///
/// New files are written, and seen in the store, before an old one is removed. What stands in full files without such
/// packs stays untouched, as with restic.
struct IndexRewrite {
    /// A file with this many blobs is full: new ones are closed then.
    static let fullBlobCount = 40_000
    /// When nothing else has to be written, this many small files are worth joining.
    private static let manySmallFiles = 16

    /// The numbers of the files to replace.
    private let obsolete: [Int]
    private let excluded: Set<UInt32>

    /// - Parameters:
    ///   - excluded: numbers of packs that no index may name afterwards.
    init(_ tables: PackInventory.Tables, excluding excluded: Set<UInt32>) {
        self.excluded = excluded
        let changed = tables.files.indices.filter { number in
            let file = tables.files[number]
            return file.repeats || file.packs.isEmpty
                || file.packs.contains { excluded.contains($0) || tables.moreRanges[$0] != nil }
        }
        let small = tables.files.indices.filter { tables.files[$0].blobCount < Self.fullBlobCount }
        if !changed.isEmpty {
            obsolete = Array(Set(changed).union(small)).sorted()
        } else {
            obsolete = small.count >= Self.manySmallFiles ? small : []
        }
    }

    /// How many files are replaced.
    var fileCount: Int { obsolete.count }

    /// Writes the new files, then removes the old ones.
    ///
    /// - Throws: errors of the store; every blob is in an index whenever this ends.
    func run(_ repository: OpenRepository, _ inventory: PackInventory, cancellation: Cancellation) throws {
        guard !obsolete.isEmpty else { return }
        let (packs, old) = inventory.tables.withLock { tables -> ([UInt32], [ObjectID]) in
            let replaced = Set(obsolete)
            var done = excluded
            for number in tables.files.indices where !replaced.contains(number) {
                done.formUnion(tables.files[number].packs)
            }
            var packs: [UInt32] = []
            for number in obsolete {
                for pack in tables.files[number].packs where done.insert(pack).inserted { packs.append(pack) }
            }
            return (packs, obsolete.map { tables.files[$0].id })
        }
        var written: Set<ObjectID> = []
        var next = 0
        while next < packs.count {
            try cancellation.check()
            var part: [(id: ObjectID, blobs: [PackedBlob])] = []
            var blobCount = 0
            inventory.tables.withLock { tables in
                while next < packs.count, blobCount < Self.fullBlobCount {
                    let blobs = tables.blobs(of: packs[next])
                    part.append((tables.packs[Int(packs[next])].id, blobs))
                    blobCount += blobs.count
                    next += 1
                }
            }
            let id = try repository.saveUnpacked(.index, IndexDocument.encoded(part))
            written.insert(id)
        }
        for id in written { try Self.requirePresence(of: id, in: repository) }
        try cancellation.check()
        for id in old where !written.contains(id) { try repository.store.delete(ObjectKind.index.key(id)) }
    }

    static func requirePresence(of id: ObjectID, in repository: OpenRepository) throws {
        do { _ = try repository.store.size(of: ObjectKind.index.key(id)) } catch let error as ObjectStoreError
            where error.code == .notFound
        {
            throw MaintenanceError.notStored("index \(id.hexadecimal)")
        }
    }
}
