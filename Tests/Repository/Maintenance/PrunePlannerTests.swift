import Repository
import RepositoryFormat
import Synchronization
import TestSupport
import Testing

@testable import Maintenance

/// The decisions of a prune, over packs that nobody ever stored.
@Suite struct PrunePlannerTests {
    /// A blob by number, its kind, and the bytes it takes in a pack.
    private struct Blob {
        let number: Int
        var kind = BlobKind.data
        var length: UInt32 = 1000
        var isCompressed = true

        var id: ObjectID { PrunePlannerTests.id("blob", number) }
    }

    private static func id(_ kind: String, _ number: Int) -> ObjectID {
        ObjectID(hashing: Array("\(kind) \(number)".utf8))
    }

    /// An inventory of packs that lie in one index file each, and the list of a store that has them.
    private struct World {
        let inventory = PackInventory()
        var stored: [ObjectID: Int64] = [:]
        var options = PruneOptions()

        init(_ packs: [[Blob]], used: [Int]) {
            inventory.tables.withLock { tables in
                for (number, blobs) in packs.enumerated() {
                    tables.files.append(PackInventory.File(id: PrunePlannerTests.id("file", number)))
                    var offset: UInt32 = 0
                    let list = blobs.map { blob -> PackedBlob in
                        defer { offset += blob.length }
                        return PackedBlob(
                            id: blob.id, kind: blob.kind, offset: offset, length: blob.length,
                            uncompressedLength: blob.isCompressed ? 4 * blob.length : nil)
                    }
                    tables.insert(file: number, pack: PrunePlannerTests.id("pack", number), list)
                }
                for number in used {
                    for kind in [BlobKind.data, .tree] {
                        guard let blob = tables.find(PrunePlannerTests.id("blob", number), kind) else { continue }
                        tables.blobs[blob].flags.insert(.used)
                    }
                }
                for pack in tables.packs { stored[pack.id] = Int64(pack.byteCount) }
            }
            options.maximumUnused = .bytes(0)
            options.smallPackByteCount = 0
        }

        func decide() throws -> (packs: [PrunePlan.Pack], statistics: PrunePlan.Statistics) {
            try inventory.tables.withLock { tables in
                var planner = PrunePlanner(options)
                return try planner.decide(&tables, stored: stored)
            }
        }

        /// The fate of each pack, in the order in which they were given.
        func fates() throws -> [String] {
            let packs = try decide().packs
            return stored.isEmpty
                ? []
                : (0..<inventory.tables.withLock { $0.packs.count }).map { number in
                    let pack = packs.first { $0.id == PrunePlannerTests.id("pack", number) }
                    return pack.map { "\($0.action.rawValue): \($0.reason.rawValue)" } ?? "nothing"
                }
        }
    }

    @Test func `packs stay, go and are written anew`() throws {
        let world = World(
            [[Blob(number: 1)], [Blob(number: 2), Blob(number: 3)], [Blob(number: 4)]], used: [1, 2])
        #expect(try world.fates() == ["keep: needed", "repack: partly unused", "remove: no snapshot needs it"])
        let sums = try World([[Blob(number: 2), Blob(number: 3)], [Blob(number: 4)]], used: [2]).decide().statistics
        #expect(sums.used == .init(blobs: 1, bytes: 1000) && sums.unused == .init(blobs: 2, bytes: 2000))
        #expect(sums.removed.bytes == 1000 && sums.repacked.bytes == 2000 && sums.repackedAway.bytes == 1000)
        #expect(sums.freedByteCount == 2000 && sums.remainingByteCount == 1000 && sums.remainingUnusedByteCount == 0)
    }

    @Test func `of a blob that is there twice the copy beside other needed ones stays`() throws {
        let world = World(
            [[Blob(number: 1), Blob(number: 9)], [Blob(number: 1), Blob(number: 2)]], used: [1, 2])
        #expect(try world.fates() == ["remove: other packs hold the same blobs", "keep: needed"])
        let sums = try world.decide().statistics
        #expect(sums.used.blobs == 2)
    }

    @Test func `what an interrupted prune has written stays, and its originals go`() throws {
        let world = World(
            [
                [Blob(number: 1), Blob(number: 8)], [Blob(number: 2), Blob(number: 9)],
                [Blob(number: 1), Blob(number: 2)],
            ], used: [1, 2])
        let duplicate = "remove: other packs hold the same blobs"
        #expect(try world.fates() == [duplicate, duplicate, "keep: needed"])
    }

    @Test func `a pack that is missing or of another size is not relied on`() throws {
        let packs = [[Blob(number: 1), Blob(number: 2)], [Blob(number: 1), Blob(number: 7)]]
        for size: Int64? in [nil, 17] {
            var world = World(packs, used: [1])
            world.stored[Self.id("pack", 0)] = size
            let fates = try world.fates()
            #expect(fates[1] == "repack: partly unused")
            #expect(fates[0] == (size == nil ? "remove: not in the store, and not needed" : fates[0]))
            #expect(fates[0].hasPrefix("remove"))
        }
        var world = World(packs, used: [1, 2])
        world.stored[Self.id("pack", 0)] = nil
        #expect(throws: MaintenanceError.self) { _ = try world.decide() }
        world.stored[Self.id("pack", 0)] = 17
        #expect(throws: MaintenanceError.self) { _ = try world.decide() }
    }

    @Test func `mixed packs and trees that are not compressed are written anew`() throws {
        var world = World(
            [
                [Blob(number: 1), Blob(number: 2, kind: .tree)], [Blob(number: 3, kind: .tree, isCompressed: false)],
                [Blob(number: 4, isCompressed: false)],
            ], used: [1, 2, 3, 4])
        #expect(
            try world.fates() == [
                "repack: trees and data mixed", "repack: trees that are not compressed", "keep: needed",
            ])
        world.options.maximumRepackByteCount = 0
        #expect(try world.decide().packs.allSatisfy { $0.action == .keep })
    }

    @Test func `within the limits those packs are taken that free most`() throws {
        let packs = (0..<4).map { number in
            [Blob(number: 2 * number, length: UInt32(1000 - 200 * number)), Blob(number: 2 * number + 1, length: 1000)]
        }
        var world = World(packs, used: [0, 2, 4, 6])
        world.options.maximumRepackByteCount = 2999
        #expect(try world.decide().packs.filter { $0.action == .repack }.map(\.id) == [Self.id("pack", 3)].sorted())
        world = World(packs, used: [0, 2, 4, 6])
        world.options.maximumUnused = .bytes(2000)
        let repacked = try world.decide()
        #expect(
            Set(repacked.packs.filter { $0.action == .repack }.map(\.id)) == [Self.id("pack", 2), Self.id("pack", 3)])
        #expect(repacked.statistics.remainingUnusedByteCount == 2000)
        world = World(packs, used: [0, 2, 4, 6])
        world.options.maximumUnused = .unlimited
        #expect(try world.decide().statistics.packsRepacked == 0)
    }

    @Test func `percentages are of what is left`() {
        // 5 of 100 may be unused beside 95.
        #expect(PruneOptions.MaximumUnused.percent(5).byteCount(beside: 950) == 50)
        #expect(PruneOptions.MaximumUnused.percent(0).byteCount(beside: 950) == 0)
        #expect(PruneOptions.MaximumUnused.percent(99.999999999).byteCount(beside: .max) <= UInt64(9e18))
        #expect(PruneOptions.MaximumUnused.unlimited.byteCount(beside: 1) == .max)
    }

    @Test func `whatever is needed and wherever it lies, nothing is lost and the sums agree`() throws {
        var generator = PseudoRandom(seed: 7)
        for round in 0..<300 {
            let packs = (0..<Int.random(in: 1...12, using: &generator)).map { _ in
                (0..<Int.random(in: 1...6, using: &generator)).map { _ -> Blob in
                    let number = Int.random(in: 0..<30, using: &generator)
                    return Blob(number: number, kind: number % 5 == 0 ? .tree : .data, length: UInt32(100 + number))
                }
            }
            let used = (0..<30).filter { _ in Bool.random(using: &generator) }
            var world = World(packs, used: used)
            world.options.maximumUnused = [.bytes(0), .percent(20), .unlimited][round % 3]
            world.options.maximumRepackByteCount = [.max, 500, 0][round / 3 % 3]
            world.options.repackSmall = round % 2 == 0
            let (list, sums) = try world.decide()
            let staying = Set(list.filter { $0.action == .keep }.map(\.id))
            let rewritten = Set(list.filter { $0.action == .repack }.map(\.id))
            for number in used {
                let holders = packs.indices.filter { packs[$0].contains { $0.number == number } }
                    .map { Self.id("pack", $0) }
                #expect(
                    holders.isEmpty || holders.contains { staying.contains($0) || rewritten.contains($0) }, "\(round)")
            }
            let bytes = packs.joined().reduce(UInt64(0)) { $0 + UInt64($1.length) }
            #expect(sums.used.bytes + sums.duplicate.bytes + sums.unused.bytes == bytes, "\(round)")
            #expect(sums.packsKept + sums.packsRepacked + sums.packsRemoved == packs.count, "\(round)")
            // Each blob that is needed and does not stay is asked for once.
            let wanted = world.inventory.tables.withLock { tables in
                tables.packs.indices.filter { rewritten.contains(tables.packs[$0].id) }.map { UInt32($0) }
            }.flatMap { world.inventory.wanted(ofPack: $0).blobs.map(\.id) }
            #expect(Set(wanted).count == wanted.count, "\(round)")
            let kept = Set(
                packs.indices.filter { staying.contains(Self.id("pack", $0)) }.flatMap { packs[$0].map(\.id) })
            let needed = Set(packs.joined().filter { used.contains($0.number) }.map(\.id))
            #expect(Set(wanted) == needed.subtracting(kept), "\(round)")
        }
    }

    @Test func `only index files that change or are small are replaced`() {
        let world = World((0..<5).map { [Blob(number: $0)] }, used: [])
        world.inventory.tables.withLock { tables in
            for file in 0..<4 { tables.files[file].blobCount = IndexRewrite.fullBlobCount }
            #expect(IndexRewrite(tables, excluding: []).fileCount == 0)
            #expect(IndexRewrite(tables, excluding: [2]).fileCount == 2)
        }
        let many = World((0..<20).map { [Blob(number: $0)] }, used: [])
        #expect(many.inventory.tables.withLock { IndexRewrite($0, excluding: []).fileCount } == 20)
    }

    @Test func `a pack in two index files counts once, and one that is spread over two is whole`() throws {
        let inventory = PackInventory()
        let pack = Self.id("pack", 0)
        func blob(_ number: Int, at offset: UInt32) -> PackedBlob {
            PackedBlob(
                id: Self.id("blob", number), kind: .data, offset: offset, length: 100, uncompressedLength: nil)
        }
        inventory.tables.withLock { tables in
            for number in 0..<3 { tables.files.append(PackInventory.File(id: Self.id("file", number))) }
            tables.insert(file: 0, pack: pack, [blob(1, at: 0), blob(2, at: 100)])
            tables.insert(file: 1, pack: pack, [blob(1, at: 0), blob(2, at: 100)])
            #expect(tables.packs.count == 1 && tables.places.count == 2 && tables.files[1].repeats)
            tables.insert(file: 2, pack: pack, [blob(2, at: 100), blob(3, at: 200)])
            #expect(tables.blobs(of: 0).map(\.offset) == [0, 100, 200])
            #expect(tables.packs[0].byteCount == 36 + 3 * (100 + 37))
            #expect(tables.blobs.allSatisfy { $0.copies == 1 })
            #expect(IndexRewrite(tables, excluding: []).fileCount == 3)
        }
    }
}
