import Archiving
import Maintenance
import ObjectStorage
import Repository
import RepositoryFormat
import Synchronization
import TestSupport
import Testing
import Threads

/// A repository in memory with a few snapshots that share some of their files, and what each of them holds.
struct MaintenanceFixture {
    let fixture: MemoryFixture
    /// A snapshot and what it holds.
    struct Snapshot {
        let id: ObjectID
        let node: TreeNode
        /// Contents by path.
        let files: [String: [UInt8]]
    }

    /// The snapshots in the order in which they were made.
    private(set) var snapshots: [Snapshot] = []

    /// - Parameter backups: how many snapshots; of each, one file is its own, one it shares with a neighbour, one with
    ///   all.
    init(_ name: String, backups: Int) throws {
        fixture = try MemoryFixture(name)
        try fixture.initialize()
        for number in 0..<backups { try backup(number) }
    }

    private mutating func backup(_ number: Int) throws {
        var files = [
            "common": Self.bytes(30_000, 1000), "own-\(number)": Self.bytes(9000 + number, number),
            "deep/er/pair": Self.bytes(20_000, 500 + number / 2),
            "deep/next/text": Array(String(repeating: "line \(number)\n", count: 900).utf8), "empty": [],
        ]
        if number == 0 { files["large"] = Self.bytes(3_000_000, 77) }
        let source = try TemporaryDirectory("source")
        for (path, bytes) in files { try source.write(bytes, to: path) }
        let result = try fixture.backup(source.path)
        snapshots.append(Snapshot(id: result.snapshot, node: result.node, files: files))
    }

    /// The same bytes for the same seed.
    static func bytes(_ count: Int, _ seed: Int) -> [UInt8] {
        var generator = PseudoRandom(seed: UInt64(seed) + 1)
        return generator.bytes(count)
    }

    /// Removes snapshots as forgetting does.
    mutating func forget(_ numbers: [Int]) {
        for number in numbers.sorted(by: >) {
            fixture.memory.replace(ObjectKind.snapshot.key(snapshots[number].id), with: nil)
            snapshots.remove(at: number)
        }
    }

    /// Expects a snapshot again, whose objects come back with ``reset(to:)``.
    mutating func restore(_ snapshot: Snapshot, at position: Int) { snapshots.insert(snapshot, at: position) }

    func open(_ store: (any ObjectStore)? = nil) throws -> OpenRepository {
        try OpenRepository.open(store ?? fixture.store, password: RepositoryFixture.password)
    }

    func prune(_ options: PruneOptions = PruneOptions(), on store: (any ObjectStore)? = nil) throws -> Prune {
        Prune(try open(store), options: options, cancellation: fixture.cancellation)
    }

    /// Plans and executes.
    @discardableResult
    func run(_ options: PruneOptions = PruneOptions(), on store: (any ObjectStore)? = nil) throws -> PrunePlan {
        let prune = try prune(options, on: store)
        let plan = try prune.plan()
        try prune.execute(plan)
        return plan
    }

    /// All objects, to be put back with ``reset(to:)``.
    var objects: [String: [UInt8]] {
        get throws {
            try Dictionary(
                uniqueKeysWithValues: fixture.memory.keys.map { ($0, try fixture.memory.get($0, range: nil)) })
        }
    }

    func reset(to objects: [String: [UInt8]]) {
        for key in fixture.memory.keys where objects[key] == nil { fixture.memory.replace(key, with: nil) }
        for (key, bytes) in objects { fixture.memory.replace(key, with: bytes) }
    }

    /// Every byte of the repository is sound, and every snapshot restores to what was backed up.
    func expectIntact(_ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let check = try fixture.check(readData: true)
        #expect(check.errors == [], comment, sourceLocation: sourceLocation)
        let repository = try fixture.open()
        for snapshot in snapshots {
            let target = try TemporaryDirectory("restored")
            let restorer = Restorer(repository, observer: fixture.observer, cancellation: fixture.cancellation)
            try restorer.restore(snapshot.node, to: target.path("out"))
            for (path, bytes) in snapshot.files {
                #expect(try target.read("out/\(path)") == bytes, comment, sourceLocation: sourceLocation)
            }
        }
        #expect(fixture.observer.messages == [], comment, sourceLocation: sourceLocation)
    }

    /// How many objects of a kind there are.
    func count(_ kind: ObjectKind) -> Int { fixture.keys(kind).count }
}

/// Ends everything at the n-th change, as a kill does: that change and all after it do not happen.
final class KilledStore: Sendable {
    private let changes = Mutex(0)
    private let limit: Int

    init(atChange limit: Int) { self.limit = limit }

    var changeCount: Int { changes.withLock { $0 } }
    var isKilled: Bool { changeCount >= limit }

    func store(_ base: any ObjectStore) -> FaultyObjectStore {
        FaultyObjectStore(base) { call in
            guard call.kind == .put || call.kind == .delete else { return }
            let count = self.changes.withLock { changes in
                changes += 1
                return changes
            }
            guard count < self.limit else {
                throw ObjectStoreError(code: .unavailable, message: "killed at change \(self.limit)")
            }
        }
    }
}
