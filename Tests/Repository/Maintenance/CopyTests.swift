import Archiving
import Maintenance
import ObjectStorage
import Repository
import RepositoryFormat
import TestSupport
import Testing
import Threads

/// Copying between two stores in memory.
@Suite struct CopyTests {
    /// An empty target that cuts as the source does.
    private func target(_ name: String, like source: MaintenanceFixture) throws -> MemoryFixture {
        let target = try MemoryFixture(name)
        try SnapshotCopy.makeTarget(
            target.store, password: RepositoryFixture.password, identity: RepositoryFixture.identity,
            now: Timestamp(seconds: 1_700_000_000), like: source.open(), derivation: RepositoryFixture.cheap)
        return target
    }

    private func copy(
        _ source: MaintenanceFixture, to target: MemoryFixture, batch: UInt64 = 1 << 30,
        on store: (any ObjectStore)? = nil, from sourceStore: (any ObjectStore)? = nil
    ) throws -> (outcome: SnapshotCopy.Outcome, present: Int) {
        let from = try source.open(sourceStore)
        let to = try OpenRepository.open(store ?? target.store, password: RepositoryFixture.password)
        try to.loadIndex(cancellation: target.cancellation)
        let copy = SnapshotCopy(from: from, to: to, batchByteCount: batch, cancellation: target.cancellation)
        let all = try from.snapshots(cancellation: target.cancellation)
        let (missing, present) = try copy.missing(of: all)
        return (try copy.run(missing), present.count)
    }

    /// Every snapshot of the source restores from the target, whose every byte is sound.
    private func expectCopied(
        _ source: MaintenanceFixture, in target: MemoryFixture, count: Int, _ comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(try target.check(readData: true).errors == [], comment, sourceLocation: sourceLocation)
        let repository = try target.open()
        let copies = try repository.snapshots(cancellation: target.cancellation)
        #expect(copies.count == count, comment, sourceLocation: sourceLocation)
        for copy in copies {
            let origin = source.snapshots.first { $0.id == copy.record.original }
            let snapshot = try #require(origin, comment, sourceLocation: sourceLocation)
            let directory = try TemporaryDirectory("copied")
            let restorer = Restorer(repository, observer: target.observer, cancellation: target.cancellation)
            try restorer.restore(snapshot.node, to: directory.path("out"))
            for (path, bytes) in snapshot.files {
                #expect(try directory.read("out/\(path)") == bytes, comment, sourceLocation: sourceLocation)
            }
        }
        #expect(target.observer.messages == [], comment, sourceLocation: sourceLocation)
    }

    @Test func `copies restore to the same files, and a second copy finds nothing to do`() throws {
        let source = try MaintenanceFixture("copy-source", backups: 4)
        let target = try target("copy-target", like: source)
        #expect(try target.open().config.chunkerPolynomial == source.open().config.chunkerPolynomial)
        #expect(try target.open().config.id != source.open().config.id)
        let first = try copy(source, to: target)
        #expect(Set(first.outcome.copied.map(\.source)) == Set(source.snapshots.map(\.id)) && first.present == 0)
        #expect(first.outcome.blobs > 10 && first.outcome.storedByteCount > 0)
        try expectCopied(source, in: target, count: 4)

        let keys = target.memory.keys
        let second = try copy(source, to: target)
        #expect(second.outcome.copied.isEmpty && second.present == 4)
        #expect(target.memory.keys == keys)
    }

    @Test func `a copy of a copy is known by the first name, in the first repository as well`() throws {
        let source = try MaintenanceFixture("copy-chain", backups: 2)
        let middle = try target("copy-middle", like: source)
        _ = try copy(source, to: middle)
        let last = try target("copy-last", like: source)
        let from = try middle.open(loading: false)
        let to = try last.open()
        let chain = SnapshotCopy(from: from, to: to, cancellation: last.cancellation)
        let snapshots = try from.snapshots(cancellation: last.cancellation)
        _ = try chain.run(try chain.missing(of: snapshots).missing)
        try expectCopied(source, in: last, count: 2)
        // Back to where they came from: they are there.
        let back = SnapshotCopy(from: to, to: try source.fixture.open(), cancellation: last.cancellation)
        #expect(try back.missing(of: to.snapshots(cancellation: last.cancellation)).missing == [])
    }

    @Test func `a snapshot with other tags is another one, whose data is not copied twice`() throws {
        let source = try MaintenanceFixture("copy-tags", backups: 1)
        let target = try target("copy-tags-target", like: source)
        _ = try copy(source, to: target)
        let repository = try source.open()
        var record = try #require(repository.snapshots(cancellation: target.cancellation).first).record
        record.original = source.snapshots[0].id
        record.tags = ["pinned"]
        _ = try repository.save(record)
        source.fixture.memory.replace(ObjectKind.snapshot.key(source.snapshots[0].id), with: nil)
        let packs = target.keys(.pack)
        let again = try copy(source, to: target)
        #expect(again.outcome.copied.count == 1 && again.outcome.blobs == 0)
        #expect(target.keys(.pack) == packs)
        try expectCopied(source, in: target, count: 2)
    }

    @Test func `what cannot be read is told, and the snapshots before it are copied`() throws {
        let source = try MaintenanceFixture("copy-damaged", backups: 3)
        let target = try target("copy-damaged-target", like: source)
        let tree = try #require(source.snapshots[2].node.subtree)
        let location = try #require(try source.fixture.open().index.location(of: tree, .tree))
        try source.fixture.flip(ObjectKind.pack.key(location.pack), at: Int(location.blob.offset) + 20)
        // All were taken in one second: the order is that of the ids.
        let order = try source.open().snapshots(cancellation: target.cancellation).map(\.id)
        let position = try #require(order.firstIndex(of: source.snapshots[2].id))
        let error = #expect(throws: MaintenanceError.self) { _ = try copy(source, to: target) }
        #expect(error?.code == .damaged && error?.message.contains(tree.hexadecimal) == true)
        try expectCopied(source, in: target, count: position)

        let own = ObjectID(hashing: source.snapshots[1].files["own-1"] ?? [])
        let place = try #require(try source.fixture.open().index.location(of: own, .data))
        try source.fixture.flip(ObjectKind.pack.key(place.pack), at: Int(place.blob.offset) + 20)
        #expect(throws: MaintenanceError.self) { _ = try copy(source, to: target) }
        #expect(try target.check(readData: true).errors == [])
    }

    @Test func `killed at any change the target is sound, and the next copy completes it`() throws {
        let source = try MaintenanceFixture("copy-killed", backups: 3)
        let base = try target("copy-killed-target", like: source)
        let counting = KilledStore(atChange: .max)
        _ = try copy(source, to: base, batch: 1, on: counting.store(base.memory))
        #expect(counting.changeCount >= 9)
        for change in 1...counting.changeCount {
            let target = try target("copy-killed-\(change)", like: source)
            let killed = KilledStore(atChange: change)
            #expect(throws: (any Error).self, "change \(change)") {
                _ = try copy(source, to: target, batch: 1, on: killed.store(target.memory))
            }
            let done = target.keys(.snapshot).count
            try expectCopied(source, in: target, count: done, "killed at change \(change)")
            let rest = try copy(source, to: target, batch: 1)
            #expect(rest.present == done && rest.outcome.copied.count == 3 - done, "change \(change)")
            try expectCopied(source, in: target, count: 3, "completed after change \(change)")
        }
    }

    @Test func `each pack of the source is read once`() throws {
        let source = try MaintenanceFixture("copy-reads", backups: 4)
        let target = try target("copy-reads-target", like: source)
        let counted = FaultyObjectStore(source.fixture.memory)
        _ = try copy(source, to: target, from: counted)
        let data = try source.fixture.open().index
        let reads = counted.calls.withLock { calls in calls.filter { $0.kind == .get && $0.key.hasPrefix("data/") } }
        let own = source.snapshots.compactMap { snapshot in
            snapshot.files.first { $0.key.hasPrefix("own-") }.map { ObjectID(hashing: $0.value) }
        }
        for id in own {
            let pack = try #require(data.location(of: id, .data)?.pack)
            #expect(reads.filter { $0.key == ObjectKind.pack.key(pack) }.count == 1)
        }
    }
}
