import RepositoryFormat

/// Decides what becomes of each pack: pure, over the inventory with the blobs in use marked, and the list of the store.
///
/// Of a blob with several copies one is chosen, so that the others need not be kept. A pack that is not in the store,
/// or not of the size that its index gives, is never relied on.
struct PrunePlanner {
    private struct Candidate {
        let pack: Int
        let reason: PrunePlan.Reason
        let isSmall: Bool
    }

    /// What is known about a pack; bytes are of sealed blobs.
    private struct PackState {
        var isUsable = false
        var usedBlobs = 0
        var usedBytes: UInt64 = 0
        var unusedBlobs = 0
        var unusedBytes: UInt64 = 0
        var duplicates = 0
        var hasData = false
        var hasTrees = false
        var hasPlainTrees = false
        var isMixed: Bool { hasData && hasTrees }
        var blobBytes: UInt64 { usedBytes + unusedBytes }
    }

    /// restic's smallest target of a pack, of which 80 % count as not small (internal/repository/prune.go).
    private static let smallestPackByteCount: UInt64 = 4 << 20
    private static let standardPackByteCount: UInt64 = 16 << 20
    /// Fewer small packs than this are left alone, as restic does it: joining them is not worth the writing.
    private static let fewestSmallPacks = 10

    let options: PruneOptions
    private var states: [PackState] = []
    private var actions: [PrunePlan.Action?] = []
    private var reasons: [PrunePlan.Reason?] = []
    private var statistics = PrunePlan.Statistics()

    init(_ options: PruneOptions) { self.options = options }

    /// - Parameters:
    ///   - stored: all packs of the store with their sizes in bytes.
    /// - Throws: ``MaintenanceError`` when a blob in use lies in no pack that can be relied on.
    mutating func decide(
        _ tables: inout PackInventory.Tables, stored: [ObjectID: Int64]
    ) throws -> (packs: [PrunePlan.Pack], statistics: PrunePlan.Statistics) {
        try examine(&tables, stored)
        count(&tables)
        chooseCopies(&tables)
        for (id, size) in stored where tables.packNumbers[id] == nil {
            statistics.packsUnindexed += 1
            statistics.unindexedByteCount += UInt64(clamping: size)
        }
        let candidates = sortOut(tables, stored)
        choose(candidates, tables)
        markKept(&tables)
        try prove(tables)
        return (list(tables, stored), statistics)
    }

    /// Finds out which packs can be relied on, and makes sure that every blob in use lies in one.
    private mutating func examine(_ tables: inout PackInventory.Tables, _ stored: [ObjectID: Int64]) throws {
        states = [PackState](repeating: PackState(), count: tables.packs.count)
        actions = [PrunePlan.Action?](repeating: nil, count: tables.packs.count)
        reasons = [PrunePlan.Reason?](repeating: nil, count: tables.packs.count)
        for (number, pack) in tables.packs.enumerated() {
            states[number].isUsable = stored[pack.id].map { UInt64(clamping: $0) == pack.byteCount } ?? false
        }
        guard states.contains(where: { !$0.isUsable }) else { return }
        for blob in tables.blobs.indices { tables.blobs[blob].copies = 0 }
        for number in states.indices where states[number].isUsable {
            for range in tables.ranges(of: UInt32(truncatingIfNeeded: number)) {
                for index in range {
                    let blob = Int(tables.places[index].blob)
                    if tables.blobs[blob].copies == 0 { tables.blobs[blob].place = UInt32(truncatingIfNeeded: index) }
                    if tables.blobs[blob].copies < .max { tables.blobs[blob].copies += 1 }
                }
            }
        }
        for blob in tables.blobs where blob.copies == 0 && blob.flags.contains(.used) {
            let pack = tables.packs[Int(tables.pack(ofPlace: blob.place))]
            guard let found = stored[pack.id] else {
                throw MaintenanceError.missingPack(
                    pack.id, example: blob.id, blob.flags.contains(.tree) ? .tree : .data)
            }
            throw MaintenanceError.wrongPackSize(pack.id, found: found, expected: pack.byteCount)
        }
    }

    /// Counts what is in each pack; copies of blobs in use as neither used nor unused.
    private mutating func count(_ tables: inout PackInventory.Tables) {
        for number in states.indices {
            var state = states[number]
            for range in tables.ranges(of: UInt32(truncatingIfNeeded: number)) {
                for index in range {
                    let place = tables.places[index]
                    let blob = tables.blobs[Int(place.blob)]
                    if blob.flags.contains(.tree) {
                        state.hasTrees = true
                        if place.uncompressedLength == 0 { state.hasPlainTrees = true }
                    } else {
                        state.hasData = true
                    }
                    if !blob.flags.contains(.used) {
                        state.unusedBlobs += 1
                        state.unusedBytes += UInt64(place.length)
                    } else if blob.copies == 1, state.isUsable {
                        state.usedBlobs += 1
                        state.usedBytes += UInt64(place.length)
                    } else {
                        state.duplicates += 1
                    }
                }
            }
            statistics.unused.add(state.unusedBlobs, state.unusedBytes)
            states[number] = state
        }
    }

    /// Chooses one copy of each blob in use.
    ///
    /// First in packs that stay anyway: those with other blobs in use, and those in which every blob is in use, as an
    /// interrupted prune leaves them; large ones before small ones. What is left is chosen wherever it is.
    private mutating func chooseCopies(_ tables: inout PackInventory.Tables) {
        let numbers = states.indices.filter { states[$0].duplicates > 0 }.sorted { left, right in
            let (a, b) = (tables.packs[left], tables.packs[right])
            return a.byteCount == b.byteCount ? a.id < b.id : a.byteCount > b.byteCount
        }
        for isLast in [false, true] {
            for number in numbers where states[number].isUsable {
                guard isLast || states[number].usedBlobs > 0 || states[number].unusedBlobs == 0 else { continue }
                for range in tables.ranges(of: UInt32(truncatingIfNeeded: number)) {
                    for index in range {
                        let blob = Int(tables.places[index].blob)
                        let flags = tables.blobs[blob].flags
                        guard flags.contains(.used), tables.blobs[blob].copies > 1, !flags.contains(.chosen) else {
                            continue
                        }
                        tables.blobs[blob].flags.insert(.chosen)
                        tables.blobs[blob].place = UInt32(truncatingIfNeeded: index)
                    }
                }
            }
        }
        for number in numbers {
            for range in tables.ranges(of: UInt32(truncatingIfNeeded: number)) {
                for index in range {
                    let place = tables.places[index]
                    let blob = tables.blobs[Int(place.blob)]
                    guard blob.flags.contains(.used), !(blob.copies == 1 && states[number].isUsable) else { continue }
                    if Int(blob.place) == index {
                        states[number].usedBlobs += 1
                        states[number].usedBytes += UInt64(place.length)
                    } else {
                        states[number].unusedBlobs += 1
                        states[number].unusedBytes += UInt64(place.length)
                        statistics.duplicate.add(1, UInt64(place.length))
                    }
                }
            }
        }
        for state in states { statistics.used.add(state.usedBlobs, state.usedBytes) }
    }

    /// Decides about all packs but those that may be written anew.
    private mutating func sortOut(_ tables: PackInventory.Tables, _ stored: [ObjectID: Int64]) -> [Candidate] {
        let target = smallLimit(tables)
        var candidates: [Candidate] = []
        var small: [BlobKind: [Candidate]] = [:]
        for (number, pack) in tables.packs.enumerated() {
            let state = states[number]
            let isSmall = pack.byteCount < target
            if state.usedBlobs == 0 {
                actions[number] = .remove
                reasons[number] =
                    stored[pack.id] == nil ? .absent : state.duplicates > 0 ? .duplicate : .unneeded
                statistics.removed.add(state.unusedBlobs, state.unusedBytes)
            } else if options.repackTreesOnly, !state.hasTrees {
                (actions[number], reasons[number]) = (.keep, .dataPack)
            } else if state.isMixed {
                candidates.append(Candidate(pack: number, reason: .mixed, isSmall: isSmall))
            } else if state.hasPlainTrees {
                candidates.append(Candidate(pack: number, reason: .uncompressed, isSmall: isSmall))
            } else if state.unusedBlobs > 0 {
                candidates.append(Candidate(pack: number, reason: .partlyUnused, isSmall: isSmall))
            } else if isSmall {
                small[state.hasTrees ? .tree : .data, default: []].append(
                    Candidate(pack: number, reason: .joined, isSmall: true))
            } else {
                (actions[number], reasons[number]) = (.keep, .needed)
            }
        }
        let enough = small.values.reduce(0) { $0 + $1.count } >= Self.fewestSmallPacks
        for (_, list) in small {
            // One small pack of a kind would only be written to become itself again.
            if enough && list.count > 1 || options.repackSmall && list.count > 1 {
                candidates += list
            } else {
                for candidate in list { (actions[candidate.pack], reasons[candidate.pack]) = (.keep, .small) }
            }
        }
        return candidates
    }

    /// Packs below this size are small. Without an option most packs are not: the size that 3 % of them fall below
    /// counts, as in restic.
    private func smallLimit(_ tables: PackInventory.Tables) -> UInt64 {
        if let limit = options.smallPackByteCount { return limit }
        if options.repackSmall { return Self.standardPackByteCount * 4 / 5 }
        let sizes = tables.packs.map(\.byteCount).sorted()
        guard !sizes.isEmpty else { return 0 }
        return max(Self.smallestPackByteCount, sizes[sizes.count * 3 / 100]) * 4 / 5
    }

    /// Takes candidates, those that bring most first, until the limits are reached.
    private mutating func choose(_ candidates: [Candidate], _ tables: PackInventory.Tables) {
        if let limit = options.maximumRoundByteCount { return chooseForRoom(candidates, limit) }
        let allowed = options.maximumUnused.byteCount(beside: statistics.used.bytes)
        let sorted = candidates.sorted { left, right in
            let (a, b) = (states[left.pack], states[right.pack])
            if a.hasTrees != b.hasTrees { return a.hasTrees }
            if left.isSmall != right.isSmall { return left.isSmall }
            // a.unused / a.used > b.unused / b.used, without fractions; packs have less than 2^32 bytes.
            let (x, y) = (a.unusedBytes &* b.usedBytes, b.unusedBytes &* a.usedBytes)
            return x == y ? tables.packs[left.pack].id < tables.packs[right.pack].id : x > y
        }
        for candidate in sorted {
            let state = states[candidate.pack]
            let (repacked, overflow) = statistics.repacked.bytes.addingReportingOverflow(state.blobBytes)
            if overflow || repacked > options.maximumRepackByteCount {
                (actions[candidate.pack], reasons[candidate.pack]) = (.keep, .repackLimit)
            } else if !state.hasTrees, !candidate.isSmall, statistics.remainingUnusedByteCount <= allowed {
                (actions[candidate.pack], reasons[candidate.pack]) = (.keep, .tolerated)
            } else {
                (actions[candidate.pack], reasons[candidate.pack]) = (.repack, candidate.reason)
                statistics.repacked.add(state.usedBlobs + state.unusedBlobs, state.blobBytes)
                statistics.repackedAway.add(state.unusedBlobs, state.unusedBytes)
            }
        }
    }

    /// Takes candidates that free bytes, those first of which the least has to be written.
    private mutating func chooseForRoom(_ candidates: [Candidate], _ limit: UInt64) {
        var written: UInt64 = 0
        for candidate in candidates.sorted(by: { states[$0.pack].usedBytes < states[$1.pack].usedBytes }) {
            let state = states[candidate.pack]
            guard state.unusedBytes > 0, written + state.usedBytes <= limit else {
                (actions[candidate.pack], reasons[candidate.pack]) = (.keep, .repackLimit)
                continue
            }
            written += state.usedBytes
            (actions[candidate.pack], reasons[candidate.pack]) = (.repack, candidate.reason)
            statistics.repacked.add(state.usedBlobs + state.unusedBlobs, state.blobBytes)
            statistics.repackedAway.add(state.unusedBlobs, state.unusedBytes)
        }
    }

    /// A blob in a pack that stays need not be copied from one that goes.
    private mutating func markKept(_ tables: inout PackInventory.Tables) {
        for number in states.indices where actions[number] == .keep && states[number].isUsable {
            for range in tables.ranges(of: UInt32(truncatingIfNeeded: number)) {
                for index in range { tables.blobs[Int(tables.places[index].blob)].flags.insert(.kept) }
            }
        }
    }

    /// Whatever the rules above have come to: every blob in use stays where it is or is copied.
    private func prove(_ tables: PackInventory.Tables) throws {
        for blob in tables.blobs where blob.flags.contains(.used) && !blob.flags.contains(.kept) {
            let pack = Int(tables.pack(ofPlace: blob.place))
            guard actions[pack] == .repack, states[pack].isUsable else {
                throw MaintenanceError.lostBlob(blob.id, blob.flags.contains(.tree) ? .tree : .data)
            }
        }
    }

    private mutating func list(
        _ tables: PackInventory.Tables, _ stored: [ObjectID: Int64]
    ) -> [PrunePlan.Pack] {
        var packs: [PrunePlan.Pack] = []
        for (number, pack) in tables.packs.enumerated() {
            guard let action = actions[number], let reason = reasons[number] else { continue }
            switch action {
            case .keep: statistics.packsKept += 1
            case .repack: statistics.packsRepacked += 1
            case .remove: statistics.packsRemoved += reason == .absent ? 0 : 1
            }
            packs.append(
                PrunePlan.Pack(
                    id: pack.id, action: action, reason: reason, byteCount: pack.byteCount,
                    unusedByteCount: states[number].unusedBytes))
        }
        for (id, size) in stored where tables.packNumbers[id] == nil {
            packs.append(
                PrunePlan.Pack(
                    id: id, action: .remove, reason: .unindexed, byteCount: UInt64(clamping: size),
                    unusedByteCount: UInt64(clamping: size)))
        }
        let order: [PrunePlan.Action: Int] = [.remove: 0, .repack: 1, .keep: 2]
        return packs.sorted { left, right in
            let (a, b) = (order[left.action] ?? 0, order[right.action] ?? 0)
            return a == b ? left.id < right.id : a < b
        }
    }
}
