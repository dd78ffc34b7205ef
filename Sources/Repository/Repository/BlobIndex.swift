import Glibc
package import RepositoryFormat
import Synchronization

/// Where each blob lies: a flat hash table, 48 bytes a blob and 4 to 8 bytes of slots.
///
/// Blobs that are being saved are *claimed*: known, so that nobody saves them twice, but without a place until their
/// pack is stored.
package final class BlobIndex: Sendable {
    /// A blob's place.
    package struct Location: Sendable, Hashable {
        package let pack: ObjectID
        package let blob: PackedBlob
    }

    private struct Entry {
        var id: ObjectID
        /// Lower 31 bits: number of the pack, all ones while the blob is claimed; top bit: a tree.
        var packAndKind: UInt32
        var offset: UInt32
        var length: UInt32
        /// 0 for blobs that are not compressed.
        var uncompressedLength: UInt32
    }

    private struct Table: ~Copyable {
        static let claimed: UInt32 = 0x7FFF_FFFF
        static let treeBit: UInt32 = 0x8000_0000
        var entries: UnsafeMutablePointer<Entry>
        var slots: UnsafeMutablePointer<UInt32>
        var capacity = 1024
        var slotMask = 2047
        var count = 0
        var packs: [ObjectID] = []
        var packSizes: [UInt64] = []
        var packNumbers: [ObjectID: UInt32] = [:]

        init() {
            entries = .allocate(capacity: capacity)
            slots = .allocate(capacity: slotMask + 1)
            slots.initialize(repeating: .max, count: slotMask + 1)
        }

        deinit {
            entries.deallocate()
            slots.deallocate()
        }

        /// The number of the blob's entry, or the slot where it belongs.
        func find(_ id: ObjectID, _ kind: BlobKind) -> (entry: Int?, slot: Int) {
            let kindBit = kind == .tree ? Self.treeBit : 0
            var slot = Int(truncatingIfNeeded: id.words.0) & slotMask
            while slots[slot] != .max {
                let entry = Int(slots[slot])
                if entries[entry].id == id, entries[entry].packAndKind & Self.treeBit == kindBit {
                    return (entry, slot)
                }
                slot = (slot + 1) & slotMask
            }
            return (nil, slot)
        }

        mutating func append(_ entry: Entry, slot: Int) {
            entries[count] = entry
            slots[slot] = UInt32(count)
            count += 1
            if count == capacity { grow() }
        }

        private mutating func grow() {
            let newCapacity = capacity * 2
            let newEntries = UnsafeMutablePointer<Entry>.allocate(capacity: newCapacity)
            newEntries.moveInitialize(from: entries, count: count)
            entries.deallocate()
            entries = newEntries
            capacity = newCapacity
            // At most three quarters full.
            while (slotMask + 1) * 3 / 4 < capacity { slotMask = slotMask * 2 + 1 }
            slots.deallocate()
            slots = .allocate(capacity: slotMask + 1)
            slots.initialize(repeating: .max, count: slotMask + 1)
            for number in 0..<count {
                var slot = Int(truncatingIfNeeded: entries[number].id.words.0) & slotMask
                while slots[slot] != .max { slot = (slot + 1) & slotMask }
                slots[slot] = UInt32(number)
            }
        }

        mutating func number(of pack: ObjectID, size: UInt64) -> UInt32 {
            if let number = packNumbers[pack] { return number }
            let number = UInt32(packs.count)
            packs.append(pack)
            packSizes.append(size)
            packNumbers[pack] = number
            return number
        }
    }

    private let table = Mutex(Table())

    package init() {}

    /// The number of blobs, claimed ones included.
    package var count: Int { table.withLock { $0.count } }

    /// All packs with the size in bytes that their blobs and header add up to.
    package var packs: [ObjectID: UInt64] {
        table.withLock { table in
            var sizes: [ObjectID: UInt64] = [:]
            for (number, id) in table.packs.enumerated() { sizes[id] = table.packSizes[number] }
            return sizes
        }
    }

    /// True for blobs that are stored or claimed.
    package func contains(_ id: ObjectID, _ kind: BlobKind) -> Bool {
        table.withLock { $0.find(id, kind).entry != nil }
    }

    /// True when all of them are stored or claimed; one lock for a whole file.
    package func containsAll(_ ids: [ObjectID], _ kind: BlobKind) -> Bool {
        table.withLock { table in
            for id in ids where table.find(id, kind).entry == nil { return false }
            return true
        }
    }

    /// Claims a blob for saving.
    ///
    /// - Returns: false when it is stored or claimed already.
    package func claim(_ id: ObjectID, _ kind: BlobKind) -> Bool {
        table.withLock { table in
            let (entry, slot) = table.find(id, kind)
            guard entry == nil else { return false }
            let kindBit = kind == .tree ? Table.treeBit : 0
            table.append(
                Entry(id: id, packAndKind: Table.claimed | kindBit, offset: 0, length: 0, uncompressedLength: 0),
                slot: slot)
            return true
        }
    }

    /// Where a blob lies; nil when it is unknown or only claimed.
    package func location(of id: ObjectID, _ kind: BlobKind) -> Location? {
        table.withLock { table in
            guard let number = table.find(id, kind).entry else { return nil }
            let entry = table.entries[number]
            let pack = entry.packAndKind & Table.claimed
            guard pack != Table.claimed else { return nil }
            return Location(
                pack: table.packs[Int(pack)],
                blob: PackedBlob(
                    id: id, kind: kind, offset: entry.offset, length: entry.length,
                    uncompressedLength: entry.uncompressedLength == 0 ? nil : entry.uncompressedLength))
        }
    }

    /// The size of a blob's content; nil when it is unknown.
    package func contentByteCount(of id: ObjectID, _ kind: BlobKind) -> Int? {
        location(of: id, kind)?.blob.contentByteCount
    }

    /// Takes in a pack that is stored; of a blob in several packs the first place counts.
    package func insert(pack: ObjectID, blobs: [PackedBlob]) {
        var size = UInt64(PackHeader.overheadByteCount)
        for blob in blobs {
            let entrySize =
                blob.uncompressedLength == nil ? PackHeader.plainEntryByteCount : PackHeader.compressedEntryByteCount
            size += UInt64(blob.length) + UInt64(entrySize)
        }
        table.withLock { table in
            let number = table.number(of: pack, size: size)
            for blob in blobs {
                let kindBit = blob.kind == .tree ? Table.treeBit : 0
                let entry = Entry(
                    id: blob.id, packAndKind: number | kindBit, offset: blob.offset, length: blob.length,
                    uncompressedLength: blob.uncompressedLength ?? 0)
                let (existing, slot) = table.find(blob.id, blob.kind)
                if let existing {
                    if table.entries[existing].packAndKind & Table.claimed == Table.claimed {
                        table.entries[existing] = entry
                    }
                } else {
                    table.append(entry, slot: slot)
                }
            }
        }
    }
}
