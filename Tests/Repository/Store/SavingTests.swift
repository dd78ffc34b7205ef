import ObjectStorage
import RepositoryFormat
import Synchronization
import TestSupport
import Testing
import Threads

@testable import Repository

@Suite(.timeLimit(.minutes(2))) struct SavingTests {
    /// A blob that no compressor makes smaller; each number another one.
    static func blob(_ number: Int, byteCount: Int = 1 << 20) -> [UInt8] {
        var bytes = noise
        while bytes.count < byteCount { bytes += noise }
        bytes.removeLast(bytes.count - byteCount)
        withUnsafeBytes(of: number) { bytes.replaceSubrange(0..<8, with: $0) }
        return bytes
    }
    private static let noise: [UInt8] = {
        var random = PseudoRandom(seed: 11)
        return random.bytes(1 << 20)
    }()

    /// All blobs of all index files, by pack.
    private func indexed(_ repository: OpenRepository) throws -> [ObjectID: [PackedBlob]] {
        let packs = Condition<[ObjectID: [PackedBlob]]>([:])
        try repository.forEachIndexedPack(cancellation: Cancellation()) { _, pack, blobs in
            packs.withLock { $0[pack, default: []] += blobs }
        }
        return packs.withLock { $0 }
    }

    @Test func `the same blobs from eight threads are stored once`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        let saver = try BlobSaver(repository, cancellation: fixture.cancellation)
        let new = Counter()
        let threads = (0..<8).map { thread in
            WorkerThread(name: "saver-\(thread)") {
                let worker = try BlobSaver.Worker(saver)
                for number in 0..<60 {
                    // Each thread in an order of its own.
                    let content = Array("blob \((number * 7 + thread * 11) % 60)".utf8)
                    for kind in [BlobKind.data, .tree] where try worker.save(content, kind).isNew { new.add() }
                }
            }
        }
        for thread in threads { try thread.join() }
        try saver.finish()
        #expect(new.value == 120, "data and trees are two kinds of blobs even with equal bytes")
        #expect(saver.statistics.dataBlobs == 60 && saver.statistics.treeBlobs == 60)
        #expect(try indexed(repository).values.map(\.count).sorted() == [60, 60])
        let loader = try BlobLoader(fixture.open())
        for number in 0..<60 {
            let content = Array("blob \(number)".utf8)
            #expect(try loader.load(ObjectID(hashing: content), .data) == content)
            #expect(try loader.load(ObjectID(hashing: content), .tree) == content)
        }
        #expect(fixture.spooled == [])
        // The next backup knows them all.
        let next = try BlobSaver(fixture.open(), cancellation: fixture.cancellation)
        #expect(try BlobSaver.Worker(next).save(Array("blob 3".utf8), .data).isNew == false)
        try next.finish()
        #expect(fixture.keys(.index).count == 1, "nothing new makes no index")
    }

    @Test func `packs are closed at their target and a blob beyond it has one of its own`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        let saver = try BlobSaver(repository, cancellation: fixture.cancellation)
        let worker = try BlobSaver.Worker(saver)
        for number in 0..<40 { _ = try worker.save(Self.blob(number), .data) }
        let huge = Self.blob(100, byteCount: 30 << 20)
        let hugeID = try worker.save(huge, .data).id
        let tiny = try worker.save([1], .data).id
        try saver.finish()
        let loaded = try fixture.open()
        #expect(try BlobLoader(loaded).load(hugeID, .data) == huge)
        #expect(try BlobLoader(loaded).load(tiny, .data) == [1])
        let sizes = try fixture.keys(.pack).map { try fixture.memory.size(of: $0) }.sorted()
        #expect(sizes.last.map { $0 > 30 << 20 } == true)
        // All but the huge one and the last: at least the target, at most one blob more and the header.
        for size in sizes.dropLast().suffix(2) { #expect(size >= 16 << 20 && size < 18 << 20, "\(sizes)") }
        // Two full ones, the one that the huge blob did not fit into, the huge blob, and the rest.
        #expect(sizes.count == 5)
    }

    @Test func `of a blob in two packs one is used, and a check finds nothing wrong`() throws {
        let fixture = try MemoryFixture()
        try fixture.initialize()
        // Two backups that do not know of each other.
        let repositories = [try fixture.open(), try fixture.open()]
        for (number, repository) in repositories.enumerated() {
            let saver = try BlobSaver(repository, cancellation: fixture.cancellation)
            let worker = try BlobSaver.Worker(saver)
            _ = try worker.save(Array("shared".utf8), .data)
            _ = try worker.save(Array("own \(number)".utf8), .data)
            try saver.finish()
        }
        let repository = try fixture.open()
        #expect(repository.index.count == 3)
        #expect(repository.index.packs.count == 2)
        #expect(try BlobLoader(repository).load(ObjectID(hashing: Array("shared".utf8)), .data) == Array("shared".utf8))
        let (errors, hints) = try fixture.check(readData: true)
        #expect(errors == [] && hints.count == 2, "\(hints)")
        #expect(hints.contains { $0.hasPrefix("1 blob with ") && $0.hasSuffix(" stored more than once.") }, "\(hints)")
    }

    @Test func `the index grows and still finds everything`() throws {
        let index = BlobIndex()
        var random = PseudoRandom(seed: 12)
        var ids: [ObjectID] = []
        for number in 0..<30 {
            let blobs = try (0..<1000).map { position -> PackedBlob in
                let id = try #require(ObjectID(random.bytes(32)))
                ids.append(id)
                return PackedBlob(
                    id: id, kind: position % 2 == 0 ? .data : .tree, offset: UInt32(position * 100),
                    length: UInt32(40 + number), uncompressedLength: position % 3 == 0 ? UInt32(position) + 1 : nil)
            }
            index.insert(pack: TreeTests.id(UInt8(number)), blobs: blobs)
        }
        #expect(index.count == 30_000)
        for (number, id) in ids.enumerated() {
            let (pack, position) = number.quotientAndRemainder(dividingBy: 1000)
            let kind: BlobKind = position % 2 == 0 ? .data : .tree
            let location = try #require(index.location(of: id, kind))
            #expect(location.pack == TreeTests.id(UInt8(pack)))
            #expect(location.blob.offset == UInt32(position * 100) && location.blob.length == UInt32(40 + pack))
            #expect(location.blob.uncompressedLength == (position % 3 == 0 ? UInt32(position) + 1 : nil))
            if number % 100 == 0 { #expect(!index.contains(id, kind == .data ? .tree : .data)) }
        }
        #expect(index.claim(TreeTests.id(200), .data))
        #expect(!index.claim(TreeTests.id(200), .data))
        #expect(index.location(of: TreeTests.id(200), .data) == nil, "claimed, but without a place")
    }

    /// Saves until the end or the first error, from four threads; the error of the whole.
    private func saveAll(_ fixture: MemoryFixture, _ repository: OpenRepository, blobs: Int = 80) throws -> (any Error)?
    {
        let saver = try BlobSaver(repository, cancellation: fixture.cancellation)
        let next = Mutex(0)
        let first = Condition<(any Error)?>(nil)
        let threads = (0..<4).map { number in
            WorkerThread(name: "saver-\(number)") {
                do {
                    let worker = try BlobSaver.Worker(saver)
                    while true {
                        let number = next.withLock { next -> Int in
                            defer { next += 1 }
                            return next
                        }
                        guard number < blobs else { return }
                        _ = try worker.save(Self.blob(number), .data)
                    }
                } catch { first.withLock { $0 = $0 ?? error } }
            }
        }
        for thread in threads { try thread.join() }
        let failure = first.withLock { $0 }
        do {
            try saver.finish(discarding: failure != nil)
            return failure
        } catch { return error }
    }

    @Test(arguments: [0, 1, 2, 4], [ObjectStoreError.Code.noSpace, .unavailable])
    func `a put that fails ends the backup with the store's error and references nothing`(
        number: Int, code: ObjectStoreError.Code
    ) throws {
        let fixture = try MemoryFixture("fault") { call in
            guard call.kind == .put, call.key.hasPrefix("data/"), call.packNumber >= number else { return }
            throw ObjectStoreError(code: code, message: "The store does not want \(call.key).")
        }
        let repository = try fixture.initialize()
        let error = try saveAll(fixture, repository) as? ObjectStoreError
        #expect(error?.code == code)
        #expect(fixture.keys(.index) == [])
        #expect(fixture.keys(.pack).count <= number)
        #expect(fixture.spooled == [])
    }

    @Test func `an index that cannot be stored ends the backup with the store's error`() throws {
        let fixture = try MemoryFixture("index-fault") { call in
            guard call.kind == .put, call.key.hasPrefix("index/") else { return }
            throw ObjectStoreError(code: .permissionDenied, message: "No index here.")
        }
        let repository = try fixture.initialize()
        let error = try saveAll(fixture, repository, blobs: 3) as? ObjectStoreError
        #expect(error?.code == .permissionDenied)
        #expect(fixture.spooled == [])
        let (errors, hints) = try fixture.check(readData: true)
        #expect(errors == [])
        #expect(hints.count == 1 && hints[0].hasPrefix("1 pack with "), "\(hints)")
    }

    @Test func `a spool that vanished is the error, not a hang`() throws {
        let fixture = try MemoryFixture("no-spool")
        let repository = try fixture.initialize()
        #expect(try ShellScript("rm -r spool").run(in: fixture.directory)?.status == 0)
        let error = try saveAll(fixture, repository) as? ObjectStoreError
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("spool file") == true)
        #expect(fixture.keys(.pack) == [])
    }

    @Test func `a slow store makes the savers wait, and everything arrives`() throws {
        let waiting = Condition(0)
        let fixture = try MemoryFixture("slow") { call in
            guard call.kind == .put, call.key.hasPrefix("data/") else { return }
            // Each put takes a while; the time is the test's, so that nothing depends on the machine's speed.
            _ = waiting.wait(timeout: .milliseconds(100)) { $0 == 1 ? () : nil }
        }
        let repository = try fixture.initialize()
        #expect(try saveAll(fixture, repository) == nil)
        #expect(try indexed(repository).values.reduce(0) { $0 + $1.count } == 80)
        #expect(try fixture.check(readData: true).errors == [])
        #expect(fixture.spooled == [])
    }

    @Test(arguments: [0, 2])
    func `a cancellation in the middle ends the backup and references nothing`(number: Int) throws {
        let cancellation = Condition<Cancellation?>(nil)
        let fixture = try MemoryFixture("cancel") { call in
            guard call.kind == .put, call.key.hasPrefix("data/"), call.packNumber == number else { return }
            cancellation.withLock { $0 }?.cancel(.signal(15))
        }
        cancellation.withLock { $0 = fixture.cancellation }
        let repository = try fixture.initialize()
        let error = try saveAll(fixture, repository)
        #expect(error is CancellationFailure)
        #expect(fixture.keys(.index) == [])
        #expect(fixture.spooled == [])
    }
}
