import Repository
import RepositoryFormat
import Synchronization

/// What the index files say of each pack, without its blobs: those are in the index in memory.
final class PackTable: Sendable {
    /// One pack.
    struct Entry: Sendable {
        var blobCount: Int
        /// The bytes that its blobs and header add up to.
        var byteCount: UInt64
        var hasData: Bool
        var hasTrees: Bool
        /// In how many index files it is.
        var listings = 1
        /// True when two of them place different blobs in it.
        var isContradictory = false
        /// A sum over the blobs that does not depend on their order.
        private var checksum: UInt64

        init(_ blobs: [PackedBlob]) {
            blobCount = blobs.count
            byteCount = PackHeader.packByteCount(of: blobs)
            hasData = blobs.contains { $0.kind == .data }
            hasTrees = blobs.contains { $0.kind == .tree }
            checksum = blobs.reduce(0) { sum, blob in
                // Ids are hashes; offsets and lengths only have to change the sum.
                sum &+ (blob.id.words.1 ^ UInt64(blob.offset) << 32 ^ UInt64(blob.length))
                    &* (blob.kind == .tree ? 3 : 5)
            }
        }

        func isEqual(to other: Entry) -> Bool {
            blobCount == other.blobCount && byteCount == other.byteCount && checksum == other.checksum
        }
    }

    private let table = Mutex<[ObjectID: Entry]>([:])

    func insert(_ pack: ObjectID, _ blobs: [PackedBlob]) {
        let entry = Entry(blobs)
        table.withLock { table in
            guard var existing = table[pack] else {
                table[pack] = entry
                return
            }
            existing.listings += 1
            if !existing.isEqual(to: entry) { existing.isContradictory = true }
            table[pack] = existing
        }
    }

    /// All packs that are in an index.
    var entries: [ObjectID: Entry] { table.withLock { $0 } }
}

extension PackHeader {
    /// The size of a pack that holds just these blobs.
    static func packByteCount(of blobs: [PackedBlob]) -> UInt64 {
        blobs.reduce(UInt64(overheadByteCount)) { size, blob in
            let entry = blob.uncompressedLength == nil ? plainEntryByteCount : compressedEntryByteCount
            return size + UInt64(blob.length) + UInt64(entry)
        }
    }
}
