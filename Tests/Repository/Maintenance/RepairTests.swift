import Archiving
@testable import Maintenance
import ObjectStorage
import Repository
import RepositoryFormat
import Synchronization
import TestSupport
import Testing
import Threads

/// Repairs lose nothing that is intact, say what is lost, and may be stopped at any moment.
@Suite(.timeLimit(.minutes(3))) struct RepairTests {
    let fixture: MemoryFixture
    let source: TemporaryDirectory
    let first: (node: TreeNode, statistics: ArchiveStatistics, snapshot: ObjectID)
    let second: (node: TreeNode, statistics: ArchiveStatistics, snapshot: ObjectID)
    /// Stops the store after so many writes and deletes; negative for never.
    private let remaining = Stop()

    /// How many more changes the store makes before it is gone.
    private final class Stop: Sendable {
        private let left = Mutex(-1)
        func set(_ count: Int) { left.withLock { $0 = count } }
        func change() throws {
            try left.withLock { left in
                guard left >= 0 else { return }
                if left == 0 { throw ObjectStoreError(code: .unavailable, message: "The store is gone.") }
                left -= 1
            }
        }
    }

    init() throws {
        let remaining = remaining
        fixture = try MemoryFixture("repair") { call in
            if [.put, .delete].contains(call.kind), !call.key.hasPrefix("locks/") { try remaining.change() }
        }
        source = try TemporaryDirectory("repair-source")
        try source.write("first", to: "src/a")
        try source.write("second", to: "src/dir/b")
        try source.write([UInt8](SavingTests.blob(1)) + SavingTests.blob(2), to: "src/dir/large")
        try fixture.initialize()
        first = try fixture.backup(source.path("src"))
        try source.write("third", to: "src/new")
        second = try fixture.backup(source.path("src"), previous: first.node)
    }

    private func place(_ content: String) throws -> BlobIndex.Location {
        try #require(fixture.open().index.location(of: ObjectID(hashing: Array(content.utf8)), .data))
    }

    private func repairIndex(readsAllPacks: Bool = false) throws -> IndexRepair.Plan {
        let repair = IndexRepair(
            try fixture.open(loading: false), readsAllPacks: readsAllPacks, cancellation: fixture.cancellation)
        let plan = try repair.plan()
        try repair.execute(plan)
        return plan
    }

    private func repairPacks(_ ids: [ObjectID]) throws -> PackRepair.Plan {
        let repair = PackRepair(try fixture.open(loading: false), cancellation: fixture.cancellation)
        let plan = try repair.plan(ids.map(\.hexadecimal))
        try repair.execute(plan)
        return plan
    }

    private func repairSnapshots(_ names: [String] = [], forgets: Bool = true) throws -> (
        SnapshotRepair.Plan, [SnapshotRepair.Done]
    ) {
        let repair = SnapshotRepair(try fixture.open(loading: false), cancellation: fixture.cancellation)
        let plan = try repair.plan(names)
        return (plan, try repair.execute(plan, forgets: forgets, programVersion: "test"))
    }

    private func isClean() throws -> Bool { try fixture.check(readData: true).errors == [] }

    private func contents() throws -> [String: [UInt8]] {
        Dictionary(uniqueKeysWithValues: try fixture.memory.keys.map { ($0, try fixture.memory.get($0, range: nil)) })
    }

    private func set(_ objects: [String: [UInt8]]) {
        for key in fixture.memory.keys { fixture.memory.replace(key, with: objects[key]) }
        for (key, bytes) in objects { fixture.memory.replace(key, with: bytes) }
    }

    /// Runs a repair as often as it makes changes, the store gone after one more each time; after each the repair is
    /// run again, and `proof` must hold in between and afterwards.
    private func stopEverywhere(_ repair: () throws -> Void, _ proof: (_ isDone: Bool) throws -> Void) throws {
        let before = try contents()
        var changes = 0
        while true {
            set(before)
            remaining.set(changes)
            var isStopped = false
            do { try repair() } catch let error as ObjectStoreError where error.code == .unavailable {
                isStopped = true
            }
            remaining.set(-1)
            try proof(!isStopped)
            if !isStopped { return #expect(changes > 1, "the repair changed nothing") }
            try repair()
            try proof(true)
            changes += 1
        }
    }

    // MARK: Index

    @Test func `a right index is left alone`() throws {
        let before = try contents()
        for readsAll in [false, true] {
            #expect(try repairIndex(readsAllPacks: readsAll).isEmpty)
            #expect(try contents() == before)
        }
    }

    @Test(arguments: [false, true])
    func `lost and damaged index files are made again from the packs`(isDamaged: Bool) throws {
        let keys = fixture.keys(.index)
        let packs = try fixture.open().index.packs.count
        for key in keys {
            if isDamaged { try fixture.flip(key, at: 50) } else { fixture.memory.replace(key, with: nil) }
        }
        #expect(try !isClean())
        let plan = try repairIndex()
        #expect(plan.addedPacks.count == packs)
        #expect(plan.unreadableIndexes.count == (isDamaged ? keys.count : 0))
        #expect(try isClean())
        #expect(fixture.keys(.index).count == 1)
        #expect(try repairIndex().isEmpty)
    }

    @Test func `entries of missing packs go, those of others stay`() throws {
        let place = try place("third")
        fixture.memory.replace(ObjectKind.pack.key(place.pack), with: nil)
        #expect(try repairIndex().missingPacks == [place.pack])
        let index = try fixture.open().index
        #expect(index.location(of: place.blob.id, .data) == nil)
        #expect(index.packs[place.pack] == nil && index.packs.count == 3)
    }

    @Test func `entries that the pack's header contradicts are corrected`() throws {
        let id = try #require(fixture.keys(.index).compactMap(ObjectKind.index.id).first)
        let repository = try fixture.open(loading: false)
        var packs: [(id: ObjectID, blobs: [PackedBlob])] = []
        let bytes = try repository.loadUnpacked(.index, id)
        try bytes.withUnsafeBytes { try IndexDocument.forEachPack(in: $0) { packs.append(($0, $1)) } }
        let wrong = packs[0].id
        packs[0].blobs[0].length += 1
        try repository.saveUnpacked(.index, IndexDocument.encoded(packs))
        fixture.memory.replace(ObjectKind.index.key(id), with: nil)
        #expect(try repairIndex().correctedPacks.map(\.id) == [wrong])
        #expect(try isClean())
        // The same size, but not the same places: only reading every header shows it.
        let next = try #require(
            fixture.keys(.index).compactMap(ObjectKind.index.id).sorted().first { id in
                var has = false
                let bytes = try repository.loadUnpacked(.index, id)
                try bytes.withUnsafeBytes {
                    try IndexDocument.forEachPack(in: $0) { pack, _ in has = has || pack == wrong }
                }
                return has
            })
        packs[0].blobs[0].length -= 1
        packs[0].blobs[0].offset = 7
        try repository.saveUnpacked(.index, IndexDocument.encoded(packs))
        fixture.memory.replace(ObjectKind.index.key(next), with: nil)
        #expect(try repairIndex().isEmpty)
        #expect(try repairIndex(readsAllPacks: true).correctedPacks.map(\.id) == [wrong])
        #expect(try isClean())
    }

    @Test func `a pack in several index files is kept in one, a pack with a damaged header is left alone`() throws {
        let id = try #require(fixture.keys(.index).compactMap(ObjectKind.index.id).first)
        let repository = try fixture.open(loading: false)
        try repository.saveUnpacked(.index, repository.loadUnpacked(.index, id))
        let plan = try repairIndex()
        #expect(plan.repeatedPacks.count == 2)
        #expect(try fixture.check(readData: true).hints == [])
        let place = try place("first")
        try fixture.flip(ObjectKind.pack.key(place.pack), at: -10)
        let all = try repairIndex(readsAllPacks: true)
        #expect(all.unreadablePacks.map(\.id) == [place.pack] && all.isEmpty)
        #expect(try fixture.restore(first.node, to: source.path("restored")).failures == 0)
    }

    @Test func `a repair of the index that is stopped anywhere loses nothing`() throws {
        let place = try place("third")
        fixture.memory.replace(ObjectKind.pack.key(place.pack), with: nil)
        try fixture.flip(try #require(fixture.keys(.index).first), at: 60)
        try stopEverywhere({ _ = try repairIndex() }) { (isDone) throws in
            guard isDone else { return }
            #expect(try fixture.restore(first.node, to: source.path("restored")).failures == 0)
            #expect(try repairIndex().isEmpty)
        }
    }

    // MARK: Packs

    @Test func `the intact blobs of a damaged pack are saved, the lost ones told`() throws {
        let place = try place("second")
        try fixture.flip(ObjectKind.pack.key(place.pack), at: Int(place.blob.offset) + 20)
        let plan = try repairPacks([place.pack])
        #expect(plan.packs.map(\.id) == [place.pack])
        #expect(plan.packs[0].lost.map(\.id) == [place.blob.id] && plan.packs[0].copied == [])
        #expect(plan.packs[0].intact.count >= 2)
        #expect(try fixture.open().index.packs[place.pack] == nil)
        #expect(!fixture.keys(.pack).contains(ObjectKind.pack.key(place.pack)))
        let errors = try fixture.check(readData: true).errors
        #expect(errors.count == 1 && errors[0].hasPrefix("The data blob \(place.blob.id) is in no index."), "\(errors)")
        // A backup of the same files heals it.
        try fixture.backup(source.path("src"))
        #expect(try isClean())
    }

    @Test func `packs without header, cut, empty or missing`() throws {
        let place = try place("first")
        let key = ObjectKind.pack.key(place.pack)
        let before = try contents()
        let bytes = try fixture.memory.get(key, range: nil)
        for (damaged, lost) in [
            (Array(bytes.dropLast(3)), 0), (Array(bytes[0..<Int(place.blob.offset + place.blob.length)]), nil),
            ([], nil),
            (nil, nil),
        ] as [([UInt8]?, Int?)] {
            set(before)
            fixture.memory.replace(key, with: damaged)
            let plan = try repairPacks([place.pack])
            if let lost { #expect(plan.packs[0].lost.count == lost) } else { #expect(!plan.packs[0].lost.isEmpty) }
            if damaged?.isEmpty == false { #expect(plan.packs[0].intact.contains { $0.id == place.blob.id }) }
            let result = try RepositoryCheck(
                fixture.open(loading: false), readData: true, cancellation: fixture.cancellation
            ).run()
            #expect(result.findings.filter { $0.isError && $0.kind != .missingBlob }.map(\.message) == [])
            _ = try repairSnapshots()
            #expect(try isClean())
        }
    }

    @Test func `a pack that nobody knows, and digits that fit several`() throws {
        let repair = PackRepair(try fixture.open(loading: false), cancellation: fixture.cancellation)
        for name in ["zz", "", String(repeating: "0", count: 64)] {
            let error = #expect(throws: MaintenanceError.self) { try repair.plan([name]) }
            #expect(error?.code == .notFound)
        }
        try fixture.flip(try #require(fixture.keys(.index).first), at: 60)
        let error = #expect(throws: MaintenanceError.self) {
            try PackRepair(fixture.open(loading: false), cancellation: fixture.cancellation).plan(["0"])
        }
        #expect(error?.code == .refused)
    }

    @Test func `a repair of packs that is stopped anywhere loses nothing intact`() throws {
        let data = try place("second")
        let root = try #require(first.node.subtree)
        let tree = try #require(fixture.open().index.location(of: root, .tree))
        try fixture.flip(ObjectKind.pack.key(data.pack), at: Int(data.blob.offset) + 20)
        try fixture.flip(ObjectKind.pack.key(tree.pack), at: -10)
        let packs = [data.pack, tree.pack]
        try stopEverywhere({
            // What was removed already needs no repair any more.
            let known = Set(try fixture.open().index.packs.keys).union(
                fixture.keys(.pack).compactMap(ObjectKind.pack.id))
            let left = packs.filter { known.contains($0) }
            if !left.isEmpty { _ = try repairPacks(left) }
        }) { isDone in
            let target = source.path("restored")
            try FileTree.remove(target)
            let statistics = try fixture.restore(first.node, to: target)
            #expect(statistics.failures == 1)
            #expect(try source.read("restored/dir/large") == source.read("src/dir/large"))
            if isDone { #expect(try fixture.check(readData: true).errors.count == 1) }
        }
    }

    // MARK: Snapshots

    @Test func `files and directories that are lost are marked, everything else stays`() throws {
        let blob = try place("second")
        fixture.memory.replace(ObjectKind.pack.key(blob.pack), with: nil)
        let (plan, done) = try repairSnapshots(forgets: false)
        #expect(Set(plan.repairs.map(\.snapshot.id)) == [first.snapshot, second.snapshot] && done.count == 2)
        let number = try #require(plan.repairs.firstIndex { $0.snapshot.id == second.snapshot })
        let texts = plan.repairs[number].changes.map { change in
            "\(String(decoding: change.path, as: UTF8.self)) -> "
                + String(decoding: change.newName ?? [], as: UTF8.self)
        }
        #expect(texts == ["data/a -> a.damaged", "data/dir/b -> b.damaged", "data/dir/large -> large.damaged"])
        #expect(plan.repairs[number].changes[1].loss == .content(lostParts: 1, parts: 1, byteCount: 0, of: 6))
        let all = try fixture.open().snapshots(cancellation: fixture.cancellation)
        #expect(all.count == 4)
        let new = try #require(all.first { $0.id == done[number].new })
        #expect(new.record.original == second.snapshot && new.record.tags == ["repaired"])
        #expect(new.record.time == Timestamp(seconds: 1_700_000_000))
        let nodes = try BlobLoader(fixture.open()).loadTree(new.record.tree)
        #expect(try fixture.paths(nodes[0]) == ["a.damaged", "dir", "dir/b.damaged", "dir/large.damaged", "new"])
        #expect(try fixture.restore(nodes[0], to: source.path("restored")).failures == 0)
        #expect(try source.read("restored/new") == Array("third".utf8))
        // Once more, nothing is left to do with the new ones.
        let again = try repairSnapshots([new.id.hexadecimal])
        #expect(again.0.repairs.isEmpty && again.0.snapshotCount == 1 && again.1.isEmpty)
    }

    @Test func `an unreadable directory becomes an empty one, an unreadable root a snapshot to forget`() throws {
        let nodes = try BlobLoader(fixture.open()).loadTree(try #require(second.node.subtree))
        let tree = try #require(nodes.first { $0.kind == .dir }?.subtree)
        let place = try #require(fixture.open().index.location(of: tree, .tree))
        try fixture.flip(ObjectKind.pack.key(place.pack), at: Int(place.blob.offset) + 20)
        _ = try repairPacks([place.pack])
        let (plan, done) = try repairSnapshots()
        #expect(plan.repairs.map { $0.changes.map(\.loss) } == [[.directory], [.directory]])
        #expect(try isClean())
        let new = try fixture.open().snapshots(cancellation: fixture.cancellation)
        #expect(Set(new.map(\.id)) == Set(done.compactMap(\.new)))
        let replaced = try #require(new.first { $0.record.original == second.snapshot })
        let root = try BlobLoader(fixture.open()).loadTree(replaced.record.tree)
        #expect(try fixture.paths(root[0]) == ["a", "dir.damaged", "new"])

        // Where no pack at all is left, a repair refuses: one of data stays.
        let data = ObjectKind.pack.key(try self.place("first").pack)
        for key in fixture.keys(.pack) where key != data { fixture.memory.replace(key, with: nil) }
        _ = try repairIndex()
        let (lost, removed) = try repairSnapshots(forgets: false)
        #expect(lost.repairs.count == 2 && lost.repairs.allSatisfy { $0.tree == nil } && removed.isEmpty)
        #expect(fixture.keys(.snapshot).count == 2)
        _ = try repairSnapshots(forgets: true)
        #expect(fixture.keys(.snapshot) == [])
        #expect(try isClean())
    }

    @Test func `a snapshot that cannot be read goes only when it is named`() throws {
        try fixture.flip(ObjectKind.snapshot.key(first.snapshot), at: 20)
        let (plan, done) = try repairSnapshots()
        #expect(plan.unreadable.map(\.id) == [first.snapshot] && done.isEmpty)
        #expect(fixture.keys(.snapshot).count == 2)
        let (_, removed) = try repairSnapshots([first.snapshot.short])
        #expect(removed.map(\.old) == [first.snapshot])
        #expect(fixture.keys(.snapshot) == [ObjectKind.snapshot.key(second.snapshot)])
        #expect(try isClean())
    }

    @Test func `a repair of snapshots that is stopped anywhere leaves each snapshot old or new`() throws {
        fixture.memory.replace(ObjectKind.pack.key(try place("second").pack), with: nil)
        _ = try repairIndex()
        try stopEverywhere({ _ = try repairSnapshots() }) { isDone in
            let all = try fixture.open().snapshots(cancellation: fixture.cancellation)
            let known = Set(all.map(\.id)).union(all.compactMap(\.record.original))
            #expect(known.isSuperset(of: [first.snapshot, second.snapshot]))
            #expect(try isClean() == isDone || !isDone)
        }
    }

    @Test func `marked names are unique and never too long for a file system`() {
        func name(_ text: String, _ others: String...) -> String {
            String(
                decoding: SnapshotRepair.markedName(Array(text.utf8), notIn: Set(others.map { Array($0.utf8) })),
                as: UTF8.self)
        }
        #expect(name("a") == "a.damaged")
        #expect(name("a", "a.damaged", "a.damaged-2") == "a.damaged-3")
        let long = String(repeating: "x", count: 255)
        #expect(name(long) == String(repeating: "x", count: 247) + ".damaged")
    }
}
