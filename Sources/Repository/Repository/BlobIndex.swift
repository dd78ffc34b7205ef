import Glibc
package import RepositoryFormat
import Synchronization

/// Where each blob lies: a flat hash table, 48 bytes a blob and 5 to 11 bytes of slots.
///
/// A blob that lies in several packs, as after concurrent backups, has its further places in a list beside the table,
/// which is looked at only when the first place fails.
///
/// Blobs that are being saved are *claimed*: known, so that nobody saves them twice, but without a place until their
/// pack is stored.
package final class BlobIndex: Sendable {
    /// A blob's place.
    package struct Location: Sendable, Hashable {
        package let pack: ObjectID
        package let blob: PackedBlob

        package init(pack: ObjectID, blob: PackedBlob) {
            self.pack = pack
            self.blob = blob
        }
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
        /// Further places of blobs that the table has a place of.
        var duplicates: [Entry] = []
        var areDuplicatesSorted = true

        init() {
            entries = Self.resized(nil, to: capacity)
            slots = .allocate(capacity: slotMask + 1)
            slots.initialize(repeating: .max, count: slotMask + 1)
        }

        deinit {
            free(entries)
            slots.deallocate()
        }

        /// Moves the entries; for large blocks the kernel moves pages instead of bytes (mremap(2)).
        private static func resized(
            _ entries: UnsafeMutablePointer<Entry>?, to capacity: Int
        ) -> UnsafeMutablePointer<Entry> {
            guard let memory = realloc(entries, capacity * MemoryLayout<Entry>.stride) else {
                preconditionFailure("The system has no memory left.")
            }
            return memory.assumingMemoryBound(to: Entry.self)
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
            if count == capacity {
                capacity += capacity / 2
                entries = Self.resized(entries, to: capacity)
            }
            // At most three quarters full.
            if count > (slotMask + 1) / 4 * 3 { makeSlots(mask: slotMask * 2 + 1) }
        }

        /// Makes the slots anew from the entries.
        private mutating func makeSlots(mask: Int) {
            slotMask = mask
            slots.deallocate()
            slots = .allocate(capacity: slotMask + 1)
            slots.initialize(repeating: .max, count: slotMask + 1)
            for number in 0..<count {
                var slot = Int(truncatingIfNeeded: entries[number].id.words.0) & slotMask
                while slots[slot] != .max { slot = (slot + 1) & slotMask }
                slots[slot] = UInt32(number)
            }
        }

        /// Drops the entries that do not fit; those that stay keep their order and get new numbers.
        mutating func keep(where fits: (Entry) -> Bool) {
            var kept = 0
            for number in 0..<count where fits(entries[number]) {
                entries[kept] = entries[number]
                kept += 1
            }
            guard kept != count else { return }
            count = kept
            makeSlots(mask: slotMask)
        }

        mutating func number(of pack: ObjectID, size: UInt64) -> UInt32 {
            if let number = packNumbers[pack] { return number }
            let number = UInt32(packs.count)
            packs.append(pack)
            packSizes.append(size)
            packNumbers[pack] = number
            return number
        }

        func location(_ entry: Entry) -> Location {
            Location(
                pack: packs[Int(entry.packAndKind & Self.claimed)],
                blob: PackedBlob(
                    id: entry.id, kind: entry.packAndKind & Self.treeBit == 0 ? .data : .tree, offset: entry.offset,
                    length: entry.length,
                    uncompressedLength: entry.uncompressedLength == 0 ? nil : entry.uncompressedLength))
        }

        mutating func addDuplicate(_ entry: Entry, of existing: Int) {
            let first = entries[existing]
            // The same pack in several index files is one place.
            guard first.packAndKind != entry.packAndKind || first.offset != entry.offset else { return }
            duplicates.append(entry)
            areDuplicatesSorted = false
        }

        /// Sorts the list by blob and drops places that were told twice.
        mutating func sortDuplicates() {
            guard !areDuplicatesSorted else { return }
            func key(_ entry: Entry) -> (ObjectID, UInt32, UInt32) { (entry.id, entry.packAndKind, entry.offset) }
            duplicates.sort { key($0) < key($1) }
            var kept = 0
            for entry in duplicates where kept == 0 || key(duplicates[kept - 1]) != key(entry) {
                duplicates[kept] = entry
                kept += 1
            }
            duplicates.removeSubrange(kept...)
            areDuplicatesSorted = true
        }

        /// The further places of a blob.
        mutating func otherLocations(of id: ObjectID, _ kind: BlobKind) -> [Location] {
            sortDuplicates()
            var (low, high) = (0, duplicates.count)
            while low < high {
                let middle = (low + high) / 2
                if duplicates[middle].id < id { low = middle + 1 } else { high = middle }
            }
            var found: [Location] = []
            while low < duplicates.count, duplicates[low].id == id {
                let place = location(duplicates[low])
                if place.blob.kind == kind { found.append(place) }
                low += 1
            }
            return found
        }
    }

    private let table = Mutex(Table())

    package init() {}

    /// The number of blobs, claimed ones included.
    package var count: Int { table.withLock { $0.count } }

    /// The memory of entries and slots that was touched: at most 64 bytes a blob from a thousand blobs on.
    package var byteCount: Int {
        table.withLock { $0.count * MemoryLayout<Entry>.stride + ($0.slotMask + 1) * MemoryLayout<UInt32>.stride }
    }

    /// All packs with the size in bytes that their blobs and header add up to.
    package var packs: [ObjectID: UInt64] {
        table.withLock { table in
            var sizes: [ObjectID: UInt64] = [:]
            for (id, number) in table.packNumbers { sizes[id] = table.packSizes[Int(number)] }
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
            guard entry.packAndKind & Table.claimed != Table.claimed else { return nil }
            return table.location(entry)
        }
    }

    /// All places of a blob, that of ``location(of:_:)`` first; none when it is unknown or only claimed.
    package func locations(of id: ObjectID, _ kind: BlobKind) -> [Location] {
        table.withLock { table in
            guard let number = table.find(id, kind).entry else { return [] }
            let entry = table.entries[number]
            guard entry.packAndKind & Table.claimed != Table.claimed else { return [] }
            return [table.location(entry)] + table.otherLocations(of: id, kind)
        }
    }

    /// Blobs that lie in more places than one: how many places are more than one, and the bytes of their sealed blobs.
    package var duplicates: (count: Int, byteCount: UInt64) {
        table.withLock { table in
            table.sortDuplicates()
            return (table.duplicates.count, table.duplicates.reduce(0) { $0 + UInt64($1.length) })
        }
    }

    /// Looks up many blobs under one lock; `body` must not call the index.
    ///
    /// - Parameter body: gets the position in `ids`, a number of the blob that is dense (0 ..< ``count``) and stays the
    ///   same, and the size of its content; the last two are nil for blobs that are unknown or only claimed.
    package func lookUp(
        _ ids: [ObjectID], _ kind: BlobKind, _ body: (_ position: Int, _ number: Int?, _ contentByteCount: Int?) -> Void
    ) {
        table.withLock { table in
            for position in ids.indices {
                guard let number = table.find(ids[position], kind).entry,
                    table.entries[number].packAndKind & Table.claimed != Table.claimed
                else {
                    body(position, nil, nil)
                    continue
                }
                let entry = table.entries[number]
                let size = entry.uncompressedLength == 0 ? max(32, entry.length) - 32 : entry.uncompressedLength
                body(position, number, Int(size))
            }
        }
    }

    /// Calls `body` with each blob that is stored, its number as in ``lookUp(_:_:_:)``; `body` must not call the index.
    package func forEach(_ body: (_ number: Int, Location) -> Void) {
        table.withLock { table in
            for number in 0..<table.count where table.entries[number].packAndKind & Table.claimed != Table.claimed {
                body(number, table.location(table.entries[number]))
            }
        }
    }

    /// All blobs that the index places in some packs, further copies included; a pass over the whole index.
    package func blobs(of packs: Set<ObjectID>) -> [ObjectID: [PackedBlob]] {
        table.withLock { table in
            table.sortDuplicates()
            var found: [ObjectID: [PackedBlob]] = [:]
            let wanted = table.packs.map { packs.contains($0) }
            func add(_ entry: Entry) {
                let number = Int(entry.packAndKind & Table.claimed)
                guard number < wanted.count, wanted[number] else { return }
                let place = table.location(entry)
                found[place.pack, default: []].append(place.blob)
            }
            for number in 0..<table.count { add(table.entries[number]) }
            for entry in table.duplicates { add(entry) }
            return found
        }
    }

    /// How many of these blobs the index places just here.
    package func countMatches(_ blobs: [PackedBlob], in pack: ObjectID) -> Int {
        table.withLock { table in
            guard let number = table.packNumbers[pack] else { return 0 }
            var count = 0
            for blob in blobs {
                guard let existing = table.find(blob.id, blob.kind).entry else { continue }
                let first = table.entries[existing]
                if first.packAndKind & Table.claimed == number, first.offset == blob.offset,
                    first.length == blob.length, first.uncompressedLength == blob.uncompressedLength ?? 0
                {
                    count += 1
                } else if table.otherLocations(of: blob.id, blob.kind).contains(where: {
                    $0.pack == pack && $0.blob == blob
                }) {
                    count += 1
                }
            }
            return count
        }
    }

    /// The size of a blob's content; nil when it is unknown.
    package func contentByteCount(of id: ObjectID, _ kind: BlobKind) -> Int? {
        location(of: id, kind)?.blob.contentByteCount
    }

    /// Takes in a pack that is stored; of a blob in several packs the first place counts, the others are kept in reserve.
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
                    } else {
                        table.addDuplicate(entry, of: existing)
                    }
                } else {
                    table.append(entry, slot: slot)
                }
            }
        }
    }

    /// Forgets blobs that never came to be stored, or that no index file tells of: those that are only claimed, and those
    /// of `packs`. Afterwards they would be saved again.
    package func forget(claimedAndIn packs: Set<ObjectID>) {
        table.withLock { table in
            let dropped = Set(packs.compactMap { table.packNumbers.removeValue(forKey: $0) })
            table.keep { entry in
                let pack = entry.packAndKind & Table.claimed
                return pack != Table.claimed && !dropped.contains(pack)
            }
            table.duplicates.removeAll { dropped.contains($0.packAndKind & Table.claimed) }
        }
    }
}
