import RepositoryFormat
import Synchronization

/// Every blob of every pack that the index files name, copies of one blob included: what pruning and copying plan on.
///
/// Flat, like the index: 40 bytes and 4 to 8 bytes of slots a blob, 16 bytes for each place it lies in, no object of
/// its own for any of them.
package final class PackInventory: Sendable {
    /// A blob and what is known about it.
    struct Blob {
        let id: ObjectID
        var flags: Flags
        /// How many places there are; 255 stands for more.
        var copies: UInt8 = 1
        /// The number of the place it is read from, and that counts as the one in use.
        var place: UInt32
    }

    struct Flags: OptionSet {
        let rawValue: UInt8
        static let tree = Flags(rawValue: 1)
        /// A snapshot needs it.
        static let used = Flags(rawValue: 2)
        /// Its place was chosen among several.
        static let chosen = Flags(rawValue: 4)
        /// It lies in a pack that stays.
        static let kept = Flags(rawValue: 8)
        /// It was copied to a new pack that is in a new index.
        static let copied = Flags(rawValue: 16)
    }

    /// One place of a blob.
    struct Place {
        let blob: UInt32
        let offset: UInt32
        let length: UInt32
        /// 0 for blobs that are not compressed.
        let uncompressedLength: UInt32
    }

    struct Pack {
        let id: ObjectID
        /// Its places. One whose blobs are spread over several index files has more, see ``Tables/moreRanges``.
        let range: Range<Int>
        /// What blobs and header add up to in bytes.
        var byteCount: UInt64
    }

    /// An index file.
    struct File {
        let id: ObjectID
        var packs: [UInt32] = []
        var blobCount = 0
        /// True when another file has one of its packs as well.
        var repeats = false
    }

    let tables = Mutex(Tables())

    package init() {}

    /// How many different blobs there are.
    package var blobCount: Int { tables.withLock { $0.blobs.count } }
}

extension PackInventory {
    /// The tables; who holds the lock may use them.
    struct Tables {
        var blobs: ContiguousArray<Blob> = []
        var places: ContiguousArray<Place> = []
        var packs: [Pack] = []
        var files: [File] = []
        var packNumbers: [ObjectID: UInt32] = [:]
        /// Further places of packs, by the number of the pack: rare.
        var moreRanges: [UInt32: [Range<Int>]] = [:]
        /// Where the places of each run of one pack begin, ascending, and the pack of each run.
        private var runStarts: ContiguousArray<UInt32> = []
        private var runPacks: ContiguousArray<UInt32> = []
        private var slots = ContiguousArray<UInt32>(repeating: .max, count: 4096)

        @inline(__always)
        private func slot(of id: ObjectID, _ kind: BlobKind) -> Int {
            let mask = slots.count - 1
            let isTree = kind == .tree
            var slot = Int(truncatingIfNeeded: id.words.0) & mask
            while slots[slot] != .max {
                let blob = blobs[Int(slots[slot])]
                if blob.id == id, blob.flags.contains(.tree) == isTree { return slot }
                slot = (slot + 1) & mask
            }
            return slot
        }

        /// The number of a blob; nil when no index names it.
        func find(_ id: ObjectID, _ kind: BlobKind) -> Int? {
            let number = slots[slot(of: id, kind)]
            return number == .max ? nil : Int(number)
        }

        /// Notes a further place of a blob, or its first.
        private mutating func note(_ id: ObjectID, _ kind: BlobKind, place: UInt32) -> UInt32 {
            let slot = slot(of: id, kind)
            if slots[slot] != .max {
                let number = slots[slot]
                if blobs[Int(number)].copies < .max { blobs[Int(number)].copies += 1 }
                return number
            }
            let number = UInt32(truncatingIfNeeded: blobs.count)
            blobs.append(Blob(id: id, flags: kind == .tree ? .tree : [], place: place))
            slots[slot] = number
            if blobs.count * 2 > slots.count { grow() }
            return number
        }

        private mutating func grow() {
            slots = ContiguousArray(repeating: .max, count: slots.count * 2)
            let mask = slots.count - 1
            for number in blobs.indices {
                var slot = Int(truncatingIfNeeded: blobs[number].id.words.0) & mask
                while slots[slot] != .max { slot = (slot + 1) & mask }
                slots[slot] = UInt32(truncatingIfNeeded: number)
            }
        }

        /// Takes in what one index file says about one pack.
        mutating func insert(file: Int, pack id: ObjectID, _ list: [PackedBlob]) {
            files[file].blobCount += list.count
            var list = list[...]
            if let number = packNumbers[id] {
                // After an interrupted prune the same pack stands in an old file and a new one.
                files[file].packs.append(number)
                files[file].repeats = true
                let known = Set(places(of: number).map { KnownPlace(id: blobs[Int($0.blob)].id, offset: $0.offset) })
                list = list.filter { !known.contains(KnownPlace(id: $0.id, offset: $0.offset)) }[...]
                guard !list.isEmpty else { return }
                let range = append(list, to: number)
                moreRanges[number, default: []].append(range)
                packs[Int(number)].byteCount += Self.byteCount(list)
                return
            }
            let number = UInt32(truncatingIfNeeded: packs.count)
            packNumbers[id] = number
            files[file].packs.append(number)
            let range = append(list, to: number)
            packs.append(
                Pack(id: id, range: range, byteCount: UInt64(PackHeader.overheadByteCount) + Self.byteCount(list)))
        }

        private struct KnownPlace: Hashable {
            let id: ObjectID
            let offset: UInt32
        }

        private mutating func append(_ list: ArraySlice<PackedBlob>, to pack: UInt32) -> Range<Int> {
            let start = places.count
            runStarts.append(UInt32(truncatingIfNeeded: start))
            runPacks.append(pack)
            for blob in list {
                let number = note(blob.id, blob.kind, place: UInt32(truncatingIfNeeded: places.count))
                places.append(
                    Place(
                        blob: number, offset: blob.offset, length: blob.length,
                        uncompressedLength: blob.uncompressedLength ?? 0))
            }
            return start..<places.count
        }

        /// Bytes of sealed blobs and their entries in the header.
        private static func byteCount(_ list: ArraySlice<PackedBlob>) -> UInt64 {
            list.reduce(0) {
                $0 + UInt64($1.length)
                    + UInt64(
                        $1.uncompressedLength == nil
                            ? PackHeader.plainEntryByteCount : PackHeader.compressedEntryByteCount)
            }
        }

        /// The pack in which a place lies.
        func pack(ofPlace place: UInt32) -> UInt32 {
            var low = 0
            var high = runStarts.count
            while high - low > 1 {
                let middle = (low + high) / 2
                if runStarts[middle] <= place { low = middle } else { high = middle }
            }
            return runPacks[low]
        }

        /// The numbers of all places in a pack.
        func ranges(of pack: UInt32) -> [Range<Int>] {
            [packs[Int(pack)].range] + (moreRanges[pack] ?? [])
        }

        func places(of pack: UInt32) -> [Place] { ranges(of: pack).flatMap { places[$0] } }

        /// A place as the format has it.
        func packedBlob(_ place: Place) -> PackedBlob {
            let blob = blobs[Int(place.blob)]
            return PackedBlob(
                id: blob.id, kind: blob.flags.contains(.tree) ? .tree : .data, offset: place.offset,
                length: place.length, uncompressedLength: place.uncompressedLength == 0 ? nil : place.uncompressedLength
            )
        }

        /// All blobs of a pack as index files list them.
        func blobs(of pack: UInt32) -> [PackedBlob] { places(of: pack).map(packedBlob) }
    }
}
