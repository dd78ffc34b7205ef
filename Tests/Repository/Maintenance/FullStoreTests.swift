import Maintenance
import ObjectStorage
import Repository
import RepositoryFormat
import Synchronization
import TestSupport
import Testing
import Threads

/// Pruning a store in which no byte is left but those of the reserve.
@Suite struct FullStoreTests {
    private static let everything: PruneOptions = {
        var options = PruneOptions()
        options.maximumUnused = .bytes(0)
        return options
    }()

    /// A repository with a reserve, of which some snapshots are forgotten, and a store that takes nothing more until
    /// something is removed, and then no more than `room` bytes beyond what was removed.
    private func full(_ name: String, room: Int) throws -> (MaintenanceFixture, QuotaStore) {
        var fixture = try MaintenanceFixture(name, backups: 6)
        #expect(try SpaceReserve(fixture.fixture.store).make())
        #expect(fixture.fixture.memory.keys.contains(SpaceReserve.key))
        fixture.forget([1, 2, 4])
        let used = try fixture.objects.values.reduce(0) { $0 + $1.count }
        let quota = QuotaStore(fixture.fixture.memory, limit: used - SpaceReserve.byteCount + room)
        return (fixture, quota)
    }

    @Test(arguments: [2_000_000, 40_000])
    func `with the room of the reserve everything that nobody needs goes`(room: Int) throws {
        let (fixture, quota) = try full("full-\(room)", room: room)
        let before = try fixture.objects.filter { $0.key != SpaceReserve.key }.values.reduce(0) { $0 + $1.count }
        try fixture.run(Self.everything, on: quota)
        try fixture.expectIntact()
        let after = try fixture.objects.values.reduce(0) { $0 + $1.count }
        #expect(after < before)
        #expect(try fixture.prune(Self.everything).plan().statistics.unused.blobs == 0)
        #expect(!fixture.fixture.memory.keys.contains(SpaceReserve.key))
        #expect(fixture.fixture.spooled == [])
    }

    @Test func `without any room it says so and loses nothing`() throws {
        let (fixture, quota) = try full("full-none", room: -10_000_000)
        let error = #expect(throws: ObjectStoreError.self) { try fixture.run(Self.everything, on: quota) }
        #expect(error?.code == .noSpace)
        #expect(!fixture.fixture.memory.keys.contains(SpaceReserve.key))
        try fixture.expectIntact()
    }

    @Test func `killed at any change in a full store it has lost nothing`() throws {
        let (fixture, quota) = try full("full-killed", room: 40_000)
        let start = try fixture.objects
        let counting = KilledStore(atChange: .max)
        try fixture.run(Self.everything, on: counting.store(quota))
        #expect(counting.changeCount > 8)
        for change in 1...counting.changeCount {
            fixture.reset(to: start)
            let killed = KilledStore(atChange: change)
            #expect(throws: (any Error).self, "change \(change)") {
                try fixture.run(Self.everything, on: killed.store(quota))
            }
            try fixture.expectIntact("killed at change \(change)")
            try fixture.run(Self.everything)
            try fixture.expectIntact("after the next prune, killed at change \(change)")
        }
    }

    @Test func `the reserve is made once, and not where there is no room`() throws {
        let fixture = try MemoryFixture("reserve")
        let reserve = SpaceReserve(fixture.store)
        #expect(try !reserve.exists())
        #expect(try reserve.make())
        let bytes = try fixture.memory.get(SpaceReserve.key, range: nil)
        #expect(bytes.count == SpaceReserve.byteCount)
        #expect(try reserve.make())
        #expect(try fixture.memory.get(SpaceReserve.key, range: nil) == bytes)
        try reserve.release()
        #expect(try !SpaceReserve(QuotaStore(fixture.memory, limit: 1000)).make())
        #expect(fixture.memory.keys == [])
    }
}

/// A store with a limit of bytes.
private final class QuotaStore: ObjectStore {
    private let base: MemoryObjectStore
    private let limit: Int
    private let mutex = Mutex(())
    var spoolDirectory: String { base.spoolDirectory }
    var connectionCount: Int { base.connectionCount }

    init(_ base: MemoryObjectStore, limit: Int) {
        self.base = base
        self.limit = limit
    }

    func put(_ file: SpooledFile, as key: String, ifAbsent: Bool) throws {
        try mutex.withLock { _ in
            let used = try base.list(prefix: "").reduce(0) { $0 + Int($1.size) }
            guard used + Int(file.size) <= limit else {
                throw ObjectStoreError(code: .noSpace, message: "There is no room for \(key).")
            }
            try base.put(file, as: key, ifAbsent: ifAbsent)
        }
    }
    func get(_ key: String, range: Range<Int64>?) throws -> [UInt8] { try base.get(key, range: range) }
    func size(of key: String) throws -> Int64 { try base.size(of: key) }
    func list(prefix: String) throws -> [StoredObject] { try base.list(prefix: prefix) }
    func delete(_ key: String) throws { try base.delete(key) }
}
