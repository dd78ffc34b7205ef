import Archiving
import Maintenance
import ObjectStorage
import Repository
import RepositoryFormat
import TestSupport
import Testing

/// A blob that lies in two packs is lost only when both copies are.
@Suite struct SecondCopyTests {
    let fixture: MemoryFixture
    let source: TemporaryDirectory
    let node: TreeNode
    /// The packs of the first backup and of the second, which stored everything again.
    let packs: [(data: ObjectID, tree: ObjectID)]

    init() throws {
        fixture = try MemoryFixture("copies")
        source = try TemporaryDirectory("copies-source")
        try source.write("first", to: "src/a")
        try source.write("second", to: "src/dir/b")
        try source.write([UInt8](SavingTests.blob(1)), to: "src/dir/large")
        let repository = try fixture.initialize()
        let first = try fixture.backup(source.path("src"))
        node = first.node
        // A backup that ran at the same time knew nothing of the first.
        let second = try OpenRepository.open(fixture.store, password: RepositoryFixture.password)
        let archiver = try Archiver(second, observer: fixture.observer, cancellation: fixture.cancellation)
        let again = try archiver.archive(path: source.path("src"), as: "data", previous: nil, options: .init())
        let tree = try archiver.saveTree([again])
        try archiver.finish()
        _ = try second.save(
            SnapshotRecord(time: Timestamp(seconds: 1_700_000_001), tree: tree, paths: [], hostname: "h"))
        #expect(again.subtree == node.subtree)
        let index = try fixture.open().index
        _ = repository
        let data = index.locations(of: ObjectID(hashing: Array("first".utf8)), .data)
        let trees = index.locations(of: try #require(node.subtree), .tree)
        #expect(data.count == 2 && trees.count == 2)
        packs = zip(data, trees).map { ($0.pack, $1.pack) }
    }

    private func restoresAll() throws -> Bool {
        let target = try TemporaryDirectory("copies-target")
        let statistics = try fixture.restore(node, to: target.path("t"))
        return try statistics.failures == 0 && fixture.observer.messages == []
            && target.read("t/a") == Array("first".utf8) && target.read("t/dir/b") == Array("second".utf8)
            && target.read("t/dir/large") == source.read("src/dir/large")
    }

    @Test func `the index knows both places, and tells how much lies twice`() throws {
        let index = try fixture.open().index
        // Everything: both small files, each chunk of the large one, the tree of "dir", that of "src" and the root.
        #expect(index.duplicates.count == index.count)
        #expect(index.duplicates.byteCount > 1 << 20)
        #expect(index.locations(of: TreeTests.id(9), .data) == [])
        for key in fixture.keys(.index) { #expect(key.hasPrefix("index/")) }
    }

    @Test(arguments: [0, 1])
    func `either pack may be missing, whichever the index names first`(number: Int) throws {
        fixture.memory.replace(ObjectKind.pack.key(packs[number].data), with: nil)
        fixture.memory.replace(ObjectKind.pack.key(packs[number].tree), with: nil)
        #expect(try restoresAll())
    }

    @Test(arguments: [0, 1])
    func `either pack may be cut or changed`(number: Int) throws {
        for pack in [packs[number].data, packs[number].tree] {
            let key = ObjectKind.pack.key(pack)
            let bytes = try fixture.memory.get(key, range: nil)
            fixture.memory.replace(key, with: Array(bytes[0..<20]))
            #expect(try restoresAll())
            fixture.memory.replace(key, with: bytes)
            for position in stride(from: 0, to: bytes.count - 200, by: max(1, bytes.count / 20)) {
                var changed = bytes
                changed[position] ^= 1
                fixture.memory.replace(key, with: changed)
                #expect(try restoresAll())
            }
            fixture.memory.replace(key, with: bytes)
        }
    }

    @Test func `with both copies damaged the error names the first`() throws {
        for pack in packs { fixture.memory.replace(ObjectKind.pack.key(pack.data), with: nil) }
        let id = ObjectID(hashing: Array("first".utf8))
        let error = #expect(throws: ObjectStoreError.self) { try BlobLoader(fixture.open()).load(id, .data) }
        #expect(error?.code == .notFound)
        let target = try TemporaryDirectory("copies-target")
        #expect(try fixture.restore(node, to: target.path("t")).failures == 3)
    }

    @Test func `the same pack in two index files is one place`() throws {
        let index = BlobIndex()
        let blobs = (0..<3).map {
            PackedBlob(id: TreeTests.id($0), kind: .data, offset: UInt32($0) * 50, length: 50, uncompressedLength: nil)
        }
        for _ in 0..<3 { index.insert(pack: TreeTests.id(100), blobs: blobs) }
        #expect(index.duplicates.count == 0)
        for _ in 0..<3 { index.insert(pack: TreeTests.id(101), blobs: Array(blobs[0..<2])) }
        #expect(index.duplicates.count == 2 && index.duplicates.byteCount == 100)
        #expect(index.locations(of: TreeTests.id(0), .data).map(\.pack) == [TreeTests.id(100), TreeTests.id(101)])
        #expect(index.locations(of: TreeTests.id(2), .data).map(\.pack) == [TreeTests.id(100)])
        #expect(index.locations(of: TreeTests.id(0), .tree) == [])
        var found: [Int?] = []
        index.lookUp([TreeTests.id(2), TreeTests.id(7), TreeTests.id(0)], .data) { _, number, size in
            #expect(size == (number == nil ? nil : 18))
            found.append(number)
        }
        #expect(found == [2, nil, 0])
    }
}
