import Archiving
import Maintenance
import ObjectStorage
import RepositoryFormat
import TestSupport
import Testing
import Threads

@testable import Repository

/// A check names what is damaged; a restore brings back everything else.
@Suite struct CheckTests {
    let fixture: MemoryFixture
    let source: TemporaryDirectory
    let node: TreeNode
    let snapshot: ObjectID
    /// The packs of data and of trees.
    let dataPack: ObjectID
    let treePack: ObjectID
    /// How many blobs the pack of data has: the polynomial decides how many chunks the large file has.
    let blobCount: Int

    init() throws {
        fixture = try MemoryFixture("check")
        source = try TemporaryDirectory("check-source")
        try source.write("first", to: "src/a")
        try source.write("second", to: "src/b")
        try source.write("third", to: "src/dir/c")
        try source.write([UInt8](SavingTests.blob(1)), to: "src/dir/large")
        try fixture.initialize()
        (node, _, snapshot) = try fixture.backup(source.path("src"))
        let index = try fixture.open().index
        dataPack = try #require(index.location(of: ObjectID(hashing: Array("first".utf8)), .data)?.pack)
        blobCount = try #require(index.blobs(of: [dataPack])[dataPack]?.count)
        let root = try #require(node.subtree)
        treePack = try #require(index.location(of: root, .tree)?.pack)
        let (errors, hints) = try fixture.check(readData: true)
        #expect(errors == [] && hints == [])
    }

    private func location(of content: String) throws -> PackedBlob {
        try #require(fixture.open().index.location(of: ObjectID(hashing: Array(content.utf8)), .data)).blob
    }

    private func blobID(_ content: String) -> ObjectID { ObjectID(hashing: Array(content.utf8)) }

    @Test func `a missing pack`() throws {
        fixture.memory.replace(ObjectKind.pack.key(dataPack), with: nil)
        let errors = try fixture.check(readData: false).errors
        #expect(errors.count == 1)
        #expect(errors[0].hasPrefix("The pack \(dataPack) is missing, and with it "), "\(errors)")
        #expect(
            errors[0].hasSuffix(
                "\(blobCount) blobs. Needed by /data/a, /data/b, /data/dir/c, /data/dir/large of snapshot \(snapshot.short)."
            ),
            "\(errors)")
        #expect(try fixture.check(readData: true).errors == errors)
    }

    @Test func `a truncated pack`() throws {
        let key = ObjectKind.pack.key(dataPack)
        let bytes = try fixture.memory.get(key, range: nil)
        for count in [0, 1, bytes.count / 2, bytes.count - 1] {
            fixture.memory.replace(key, with: Array(bytes[0..<count]))
            let found = try fixture.check(readData: false).errors
            #expect(found.count == 1)
            #expect(found[0].hasPrefix("The pack \(dataPack) has \(count) bytes instead of \(bytes.count)."))
            #expect(found[0].contains("Needed by /data/") == (count < bytes.count - 1), "\(found)")
            let errors = try fixture.check(readData: true).errors
            #expect(errors.count == 2 && errors.allSatisfy { $0.contains(dataPack.hexadecimal) }, "\(errors)")
        }
    }

    @Test func `a flipped byte in a blob`() throws {
        try fixture.flip(ObjectKind.pack.key(dataPack), at: Int(location(of: "second").offset) + 20)
        #expect(try fixture.check(readData: false).errors == [], "only reading the data shows it")
        let errors = try fixture.check(readData: true).errors
        #expect(
            errors == [
                "The pack \(dataPack) is damaged: its bytes do not match its name; 1 of its \(blobCount) blobs is damaged "
                    + "(data \(blobID("second"))). Needed by /data/b of snapshot \(snapshot.short)."
            ])

        let target = source.path("restored")
        let statistics = try fixture.restore(node, to: target)
        #expect(statistics.failures == 1)
        #expect(fixture.observer.messages.count == 1)
        #expect(fixture.observer.messages[0].hasPrefix("FAILED \(target)/b: The data blob \(blobID("second")) in pack"))
        #expect(try source.read("restored/a") == Array("first".utf8))
        #expect(try source.read("restored/dir/c") == Array("third".utf8))
        #expect(try source.read("restored/dir/large") == source.read("src/dir/large"))
        #expect(FileTree.kind(at: target + "/b") == nil, "a damaged file is not left half")
    }

    @Test func `a flipped byte in a pack's header or length`() throws {
        let key = ObjectKind.pack.key(dataPack)
        let bytes = try fixture.memory.get(key, range: nil)
        for position in [-5, -30, -1, -2, -4] {
            try fixture.flip(key, at: position)
            let errors = try fixture.check(readData: true).errors
            #expect(
                errors == [
                    "The pack \(dataPack) is damaged: its bytes do not match its name; its header is damaged; its \(blobCount) "
                        + "blobs are intact."
                ])
            fixture.memory.replace(key, with: bytes)
        }
        // The index alone restores.
        try fixture.flip(key, at: -10)
        #expect(try fixture.restore(node, to: source.path("restored")).failures == 0)
    }

    @Test func `a flipped byte in an index`() throws {
        let key = try #require(fixture.keys(.index).first)
        try fixture.flip(key, at: 40)
        let errors = try fixture.check(readData: false).errors
        #expect(errors.contains { $0.hasPrefix("The index \(key.dropFirst(6)) cannot be read: ") }, "\(errors)")
        let error = #expect(throws: RepositoryError.self) { try fixture.open() }
        #expect(error?.code == .damaged && error?.message.contains(key.dropFirst(6)) == true)
    }

    @Test func `a missing index`() throws {
        let index = try #require(fixture.keys(.index).first)
        fixture.memory.replace(index, with: nil)
        let (errors, hints) = try fixture.check(readData: false)
        #expect(
            errors.count == 1 && errors[0].hasPrefix("The tree blob ")
                && errors[0].hasSuffix(" is in no index. Needed by / of snapshot \(snapshot.short)."),
            "\(errors)")
        #expect(
            hints.count == 1 && hints[0].hasPrefix("2 packs with ")
                && hints[0].hasSuffix(" are in no index; what is missing may be in them."), "\(hints)")
    }

    @Test func `a flipped byte in a snapshot`() throws {
        try fixture.flip(ObjectKind.snapshot.key(snapshot), at: 20)
        let errors = try fixture.check(readData: false).errors
        #expect(errors.count == 1 && errors[0].hasPrefix("The snapshot \(snapshot) cannot be read: "), "\(errors)")
        var damaged: [ObjectID] = []
        let left = try fixture.open().snapshots(cancellation: fixture.cancellation) { id, _ in damaged.append(id) }
        #expect(left == [] && damaged == [snapshot])
    }

    @Test func `a flipped byte in the tree of a directory`() throws {
        let root = try #require(node.subtree)
        let tree = try #require(BlobLoader(fixture.open()).loadTree(root).last?.subtree)
        let place = try #require(fixture.open().index.location(of: tree, .tree)).blob
        try fixture.flip(ObjectKind.pack.key(treePack), at: Int(place.offset) + 17)
        let errors = try fixture.check(readData: false).errors
        #expect(
            errors.count == 1
                && errors[0].hasPrefix("The tree blob \(tree) in pack \(treePack) is damaged: ")
                && errors[0].hasSuffix(" Needed by /data/dir of snapshot \(snapshot.short)."),
            "\(errors)")
        let target = source.path("restored")
        try fixture.restore(node, to: target)
        #expect(fixture.observer.messages.count == 1)
        #expect(fixture.observer.messages[0].hasPrefix("FAILED \(target)/dir: Its entries cannot be restored: "))
        #expect(try source.read("restored/a") == Array("first".utf8))
        #expect(try source.read("restored/b") == Array("second".utf8))
    }

    @Test func `a blob that no index knows does not cost the file in its place`() throws {
        let subtree = try #require(node.subtree)
        var nodes = try BlobLoader(fixture.open()).loadTree(subtree)
        nodes[0].content = [TreeTests.id(77)]
        let saver = try BlobSaver(fixture.open(), cancellation: fixture.cancellation)
        var directory = node
        directory.subtree = try BlobSaver.Worker(saver).save(TreeEncoding.encoded(nodes), .tree).id
        try saver.finish()
        try source.write("still mine", to: "restored/a")
        #expect(try fixture.restore(directory, to: source.path("restored")).failures == 1)
        #expect(try source.read("restored/a") == Array("still mine".utf8))
        #expect(try source.read("restored/b") == Array("second".utf8))
    }

    @Test func `a missing pack leaves the files of the others`() throws {
        try source.write("fourth", to: "src/later")
        let next = try fixture.backup(source.path("src"), previous: node)
        fixture.memory.replace(ObjectKind.pack.key(dataPack), with: nil)
        let target = source.path("restored")
        let statistics = try fixture.restore(next.node, to: target)
        #expect(statistics.failures == 4)
        #expect(FileTree.names(in: target) == ["dir", "later"])
        #expect(try source.read("restored/later") == Array("fourth".utf8))
        let failed = fixture.observer.messages.map { $0.split(separator: ":")[0] }.sorted()
        #expect(failed == ["a", "b", "dir/c", "dir/large"].map { "FAILED \(target)/\($0)" })
    }

    @Test func `files whose sizes do not fit their blobs`() throws {
        let subtree = try #require(node.subtree)
        var nodes = try BlobLoader(fixture.open()).loadTree(subtree)
        nodes[0].size = 6
        nodes[1].content = nil
        let saver = try BlobSaver(fixture.open(), cancellation: fixture.cancellation)
        let root = try BlobSaver.Worker(saver).save(TreeEncoding.encoded(nodes), .tree).id
        try saver.finish()
        let id = try fixture.open().save(
            SnapshotRecord(time: Timestamp(seconds: 0), tree: root, paths: [], hostname: "h"))
        let (errors, hints) = try fixture.check(readData: false)
        #expect(
            errors == [
                "The entry 'b' of tree \(root) is a file without a list of blobs. It is /b of snapshot \(id.short)."
            ])
        #expect(
            hints == [
                "The entry 'a' of tree \(root) has 6 bytes by its entry and 5 by its blobs. It is /a of snapshot \(id.short)."
            ])
        // Neither is restored in silence.
        var directory = node
        directory.subtree = root
        let target = source.path("restored")
        #expect(try fixture.restore(directory, to: target).failures == 1)
        #expect(
            fixture.observer.messages == [
                "\(target)/a: The snapshot has 5 bytes of it and says that it had 6.",
                "FAILED \(target)/b: The snapshot has none of its 6 bytes.",
            ])
    }

    @Test func `a check that is cancelled says so`() throws {
        fixture.cancellation.cancel(.signal(2))
        #expect(throws: CancellationFailure(reason: .signal(2))) {
            try RepositoryCheck(
                OpenRepository.open(fixture.store, password: RepositoryFixture.password), readData: true,
                cancellation: fixture.cancellation
            ).run()
        }
    }
}
