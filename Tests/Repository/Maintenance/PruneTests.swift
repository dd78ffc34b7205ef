import Maintenance
import ObjectStorage
import Repository
import RepositoryFormat
import TestSupport
import Testing
import Threads

/// Pruning over a store in memory: what goes, what stays, and what stops it.
@Suite struct PruneTests {
    private static let everything: PruneOptions = {
        var options = PruneOptions()
        options.maximumUnused = .bytes(0)
        return options
    }()

    private func expectRefusal(
        _ code: MaintenanceError.Code, naming text: String, _ fixture: MaintenanceFixture,
        options: PruneOptions = PruneOptions(), on store: (any ObjectStore)? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = fixture.fixture.memory.keys
        let error = #expect(throws: MaintenanceError.self, sourceLocation: sourceLocation) {
            _ = try fixture.prune(options, on: store).plan()
        }
        #expect(error?.code == code, sourceLocation: sourceLocation)
        #expect(error?.message.contains(text) == true, "\(error?.message ?? "")", sourceLocation: sourceLocation)
        #expect(fixture.fixture.memory.keys == before, sourceLocation: sourceLocation)
    }

    @Test func `where every blob is needed nothing changes`() throws {
        let fixture = try MaintenanceFixture("prune-needed", backups: 3)
        let before = try fixture.objects
        let plan = try fixture.run()
        #expect(plan.isEmpty && plan.packs.allSatisfy { $0.action == .keep })
        #expect(plan.statistics.snapshots == 3 && plan.statistics.unused.blobs == 0)
        #expect(try fixture.objects == before)
    }

    @Test func `what only forgotten snapshots needed goes, and the next prune finds nothing`() throws {
        var fixture = try MaintenanceFixture("prune-forgotten", backups: 6)
        let sizeBefore = try fixture.objects.values.reduce(0) { $0 + $1.count }
        fixture.forget([1, 2, 4])
        let plan = try fixture.run(Self.everything)
        #expect(plan.statistics.unused.blobs > 0 && plan.statistics.packsRepacked > 0)
        try fixture.expectIntact()
        let sizeAfter = try fixture.objects.values.reduce(0) { $0 + $1.count }
        #expect(sizeAfter < sizeBefore)

        let next = try fixture.prune(Self.everything).plan()
        #expect(next.isEmpty && next.statistics.unused.blobs == 0 && next.statistics.duplicate.blobs == 0)
        #expect(fixture.count(.index) == 1)
        #expect(fixture.fixture.spooled == [])
    }

    @Test func `without snapshots nothing is left but config and keys`() throws {
        var fixture = try MaintenanceFixture("prune-all", backups: 2)
        fixture.forget([0, 1])
        try fixture.run()
        #expect(fixture.fixture.memory.keys.allSatisfy { $0 == "config" || $0.hasPrefix("keys/") })
        #expect(try fixture.prune().plan().isEmpty)
    }

    @Test func `unused bytes are left where they are allowed`() throws {
        var fixture = try MaintenanceFixture("prune-allowed", backups: 4)
        fixture.forget([1, 2])
        var options = PruneOptions()
        options.maximumUnused = .unlimited
        options.smallPackByteCount = 0
        let plan = try fixture.prune(options).plan()
        // Packs of trees are always kept free of what nobody needs, as restic does it: they are read often.
        #expect(plan.packs.contains { $0.reason == .tolerated })
        options.maximumUnused = .bytes(0)
        #expect(try fixture.prune(options).plan().packs.contains { $0.reason == .tolerated } == false)
        options.maximumRepackByteCount = 0
        let limited = try fixture.prune(options).plan()
        #expect(limited.statistics.packsRepacked == 0 && limited.packs.contains { $0.reason == .repackLimit })
        options.maximumRepackByteCount = .max
        options.repackTreesOnly = true
        #expect(try fixture.prune(options).plan().packs.contains { $0.reason == .dataPack })
    }

    @Test func `small packs are joined, those of trees apart from those of data`() throws {
        let fixture = try MaintenanceFixture("prune-small", backups: 8)
        #expect(fixture.count(.pack) == 16)
        let plan = try fixture.run()
        #expect(plan.packs.filter { $0.reason == .joined }.count == 16)
        #expect(fixture.count(.pack) == 2 && fixture.count(.index) == 1)
        let check = try fixture.fixture.check(readData: true)
        #expect(check.hints == [])
        try fixture.expectIntact()
        #expect(try fixture.prune().plan().isEmpty)

        let few = try MaintenanceFixture("prune-few", backups: 2)
        #expect(try few.prune().plan().isEmpty)
        var options = PruneOptions()
        options.repackSmall = true
        try few.run(options)
        #expect(few.count(.pack) == 2)
        try few.expectIntact()
    }

    @Test func `packs that no index names go`() throws {
        let fixture = try MaintenanceFixture("prune-unindexed", backups: 1)
        let id = ObjectID(hashing: [1, 2, 3])
        fixture.fixture.memory.replace(ObjectKind.pack.key(id), with: [1, 2, 3])
        fixture.fixture.memory.replace("data/ab/some-file-of-a-person", with: [1])
        let plan = try fixture.run()
        #expect(plan.statistics.packsUnindexed == 1 && plan.statistics.unindexedByteCount == 3)
        #expect(!fixture.fixture.memory.keys.contains(ObjectKind.pack.key(id)))
        #expect(fixture.fixture.memory.keys.contains("data/ab/some-file-of-a-person"))
        try fixture.expectIntact()
    }

    @Test func `a snapshot to be ignored counts as gone`() throws {
        let fixture = try MaintenanceFixture("prune-ignored", backups: 3)
        var options = Self.everything
        options.ignoredSnapshots = [fixture.snapshots[1].id]
        let plan = try fixture.prune(options).plan()
        #expect(plan.statistics.snapshots == 2 && plan.statistics.unused.blobs > 0)
    }

    @Test func `a snapshot that cannot be read stops it by name`() throws {
        let fixture = try MaintenanceFixture("prune-snapshot", backups: 2)
        let id = fixture.snapshots[0].id
        try fixture.fixture.flip(ObjectKind.snapshot.key(id), at: 40)
        try expectRefusal(.damaged, naming: id.hexadecimal, fixture)
    }

    @Test func `an index that cannot be read stops it by name`() throws {
        let fixture = try MaintenanceFixture("prune-index", backups: 2)
        let key = fixture.fixture.keys(.index)[0]
        try fixture.fixture.flip(key, at: 40)
        try expectRefusal(.damaged, naming: String(key.dropFirst("index/".count)), fixture)
    }

    @Test func `a tree that cannot be read stops it by the names of tree and snapshot`() throws {
        let fixture = try MaintenanceFixture("prune-tree", backups: 1)
        let tree = try #require(fixture.snapshots[0].node.subtree)
        let repository = try fixture.fixture.open()
        let location = try #require(repository.index.location(of: tree, .tree))
        try fixture.fixture.flip(ObjectKind.pack.key(location.pack), at: Int(location.blob.offset) + 20)
        try expectRefusal(.damaged, naming: tree.hexadecimal, fixture)
        try expectRefusal(.damaged, naming: fixture.snapshots[0].id.short, fixture)
    }

    @Test func `a blob that no index names stops it`() throws {
        let fixture = try MaintenanceFixture("prune-blob", backups: 2)
        fixture.fixture.memory.replace(fixture.fixture.keys(.index)[0], with: nil)
        try expectRefusal(.damaged, naming: "which is in no index", fixture)
    }

    @Test func `a pack that is missing stops it when a snapshot needs it, and is forgotten when none does`() throws {
        var fixture = try MaintenanceFixture("prune-pack", backups: 2)
        let repository = try fixture.fixture.open()
        let own = ObjectID(hashing: fixture.snapshots[1].files["own-1"] ?? [])
        let pack = try #require(repository.index.location(of: own, .data)).pack
        fixture.fixture.memory.replace(ObjectKind.pack.key(pack), with: nil)
        try expectRefusal(.damaged, naming: pack.hexadecimal, fixture)

        fixture.forget([1])
        let plan = try fixture.run()
        #expect(plan.packs.first { $0.id == pack }?.reason == .absent)
        try fixture.expectIntact()
    }

    @Test func `a pack of another size stops it`() throws {
        let fixture = try MaintenanceFixture("prune-size", backups: 1)
        let key = try #require(fixture.fixture.keys(.pack).first)
        fixture.fixture.memory.replace(key, with: try fixture.fixture.memory.get(key, range: nil) + [0])
        try expectRefusal(.damaged, naming: "bytes, its index says", fixture)
    }

    @Test(arguments: ["data/", "snapshots/"])
    func `lists that lack what is there stop it`(prefix: String) throws {
        let fixture = try MaintenanceFixture("prune-list", backups: 3)
        var options = PruneOptions()
        options.knownSnapshots = Set(fixture.snapshots.map(\.id))
        try expectRefusal(
            .refused, naming: "does not list", fixture, options: options,
            on: ForgetfulStore(fixture.fixture.memory, prefix: prefix))
    }

    @Test func `a store that is out of reach proves nothing absent`() throws {
        let fixture = try MaintenanceFixture("prune-outage", backups: 2)
        let own = ObjectID(hashing: fixture.snapshots[1].files["own-1"] ?? [])
        let key = ObjectKind.pack.key(try #require(try fixture.fixture.open().index.location(of: own, .data)?.pack))
        let bytes = try fixture.fixture.memory.get(key, range: nil)
        fixture.fixture.memory.replace(key, with: nil)
        let store = ForgetfulStore(fixture.fixture.memory, prefix: "none/", unreachable: key)
        let error = #expect(throws: ObjectStoreError.self) { _ = try fixture.prune(on: store).plan() }
        #expect(error?.code == .unavailable)
        fixture.fixture.memory.replace(key, with: bytes)
    }

    @Test func `a damaged blob is taken from its second copy, and without one nothing is removed`() throws {
        var fixture = try MaintenanceFixture("prune-damaged", backups: 8)
        let objects = try fixture.objects
        let own = ObjectID(hashing: fixture.snapshots[3].files["own-3"] ?? [])
        let location = try #require(try fixture.fixture.open().index.location(of: own, .data))
        // A prune that is killed after its new index leaves everything twice. With one snapshot less the new pack is
        // the one that is partly unused, and the old packs are written anew.
        let killed = KilledStore(atChange: 4)
        #expect(throws: (any Error).self) { try fixture.run(on: killed.store(fixture.fixture.memory)) }
        #expect(fixture.count(.pack) == 18)
        let gone = fixture.snapshots[1]
        fixture.forget([1])
        try fixture.fixture.flip(ObjectKind.pack.key(location.pack), at: Int(location.blob.offset) + 20)
        let plan = try fixture.run()
        #expect(plan.packs.first { $0.id == location.pack }?.action == .repack)
        try fixture.expectIntact()

        fixture.restore(gone, at: 1)
        fixture.reset(to: objects)
        try fixture.fixture.flip(ObjectKind.pack.key(location.pack), at: Int(location.blob.offset) + 20)
        let before = fixture.fixture.memory.keys
        let error = #expect(throws: MaintenanceError.self) { try fixture.run() }
        #expect(error?.code == .damaged && error?.message.contains(own.hexadecimal) == true)
        #expect(Set(before).isSubset(of: fixture.fixture.memory.keys))
    }

    @Test func `a store that loses what it took is found out before anything is removed`() throws {
        var fixture = try MaintenanceFixture("prune-loses", backups: 4)
        fixture.forget([2])
        let before = fixture.fixture.memory.keys
        let start = try fixture.objects
        for prefix in ["data/", "index/"] {
            fixture.reset(to: start)
            let store = LosingStore(fixture.fixture.memory, prefix: prefix)
            let error = #expect(throws: MaintenanceError.self) { try fixture.run(Self.everything, on: store) }
            #expect(error?.code == .refused && error?.message.contains("does not have it") == true)
            #expect(Set(before).isSubset(of: fixture.fixture.memory.keys))
            // An index that names lost packs may be there; nobody needs them.
            try fixture.run(Self.everything)
            try fixture.expectIntact()
        }
    }

    @Test func `killed at any change it has lost nothing, and the next prune ends at the same place`() throws {
        var fixture = try MaintenanceFixture("prune-killed", backups: 7)
        fixture.forget([1, 4, 5])
        fixture.fixture.memory.replace(ObjectKind.pack.key(ObjectID(hashing: [9])), with: [9])
        let start = try fixture.objects
        let counting = KilledStore(atChange: .max)
        try fixture.run(Self.everything, on: counting.store(fixture.fixture.memory))
        let changes = counting.changeCount
        #expect(changes >= 12)
        for change in 1...changes {
            fixture.reset(to: start)
            let killed = KilledStore(atChange: change)
            #expect(throws: (any Error).self, "change \(change)") {
                try fixture.run(Self.everything, on: killed.store(fixture.fixture.memory))
            }
            #expect(killed.isKilled)
            try fixture.expectIntact("killed at change \(change)")
            try fixture.run(Self.everything)
            try fixture.expectIntact("after the next prune, killed at change \(change)")
            // An interrupted prune may leave a pack more than an uninterrupted one; a second run joins them.
            try fixture.run(Self.everything)
            let plan = try fixture.prune(Self.everything).plan()
            #expect(plan.isEmpty, "change \(change)")
            #expect(plan.statistics.unused.blobs == 0 && plan.statistics.duplicate.blobs == 0, "change \(change)")
            #expect(fixture.count(.index) == 1, "change \(change)")
        }
    }

    @Test func `cancelled it leaves everything as it was`() throws {
        var fixture = try MaintenanceFixture("prune-cancelled", backups: 2)
        fixture.forget([0])
        let cancellation = Cancellation()
        cancellation.cancel(.requested)
        let prune = Prune(try fixture.open(), cancellation: cancellation)
        #expect(throws: CancellationFailure(reason: .requested)) { _ = try prune.plan() }
        try fixture.expectIntact()
    }
}

/// A store that acknowledges objects with a prefix and does not keep them.
private final class LosingStore: ObjectStore {
    private let base: MemoryObjectStore
    private let prefix: String
    var spoolDirectory: String { base.spoolDirectory }
    var connectionCount: Int { base.connectionCount }

    init(_ base: MemoryObjectStore, prefix: String) {
        self.base = base
        self.prefix = prefix
    }

    func put(_ file: SpooledFile, as key: String, ifAbsent: Bool) throws {
        if !key.hasPrefix(prefix) { try base.put(file, as: key, ifAbsent: ifAbsent) }
    }
    func get(_ key: String, range: Range<Int64>?) throws -> [UInt8] { try base.get(key, range: range) }
    func size(of key: String) throws -> Int64 { try base.size(of: key) }
    func list(prefix: String) throws -> [StoredObject] { try base.list(prefix: prefix) }
    func delete(_ key: String) throws { try base.delete(key) }
}
