import Archiving
import Maintenance
import ObjectStorage
import Repository
import RepositoryFormat
import TestSupport
import Testing

/// What a check says of damage: who is concerned, what is only a hint, and what an intact copy makes good.
@Suite struct CheckFindingTests {
    let fixture: MemoryFixture
    let source: TemporaryDirectory

    init() throws {
        fixture = try MemoryFixture("finding")
        source = try TemporaryDirectory("finding-source")
        try source.write("first", to: "src/a")
        try source.write("second", to: "src/dir/b")
        try source.write("first", to: "src/dir/same")
        try fixture.initialize()
    }

    private func check(_ subset: DataSubset = .none) throws -> RepositoryCheck.Result {
        try RepositoryCheck(
            fixture.open(loading: false), subset: subset, cancellation: fixture.cancellation
        ).run()
    }

    private func place(_ content: String) throws -> BlobIndex.Location {
        try #require(fixture.open().index.location(of: ObjectID(hashing: Array(content.utf8)), .data))
    }

    /// Saves a tree of a test's own and a snapshot of it.
    private func snapshot(_ tree: [UInt8], time: Int64 = 1) throws -> (tree: ObjectID, snapshot: ObjectID) {
        let repository = try fixture.open()
        let saver = try BlobSaver(repository, cancellation: fixture.cancellation)
        let id = try BlobSaver.Worker(saver).save(tree, .tree).id
        try saver.finish()
        let record = SnapshotRecord(time: Timestamp(seconds: time), tree: id, paths: [], hostname: "h")
        return (id, try repository.save(record))
    }

    @Test func `a damaged blob names every path and every snapshot that needs it`() throws {
        let first = try fixture.backup(source.path("src"))
        try source.write("third", to: "src/new")
        let second = try fixture.backup(source.path("src"), previous: first.node)
        let place = try place("first")
        try fixture.flip(ObjectKind.pack.key(place.pack), at: Int(place.blob.offset) + 20)
        let result = try check(.all)
        let finding = try #require(result.findings.first)
        #expect(result.findings.count == 1)
        #expect(finding.kind == .damagedPack && finding.object == place.pack)
        #expect(finding.lostBlobs == [place.blob.id])
        #expect(finding.concern.paths == ["/data/a", "/data/dir/same"])
        #expect(Set(finding.concern.snapshots) == [first.snapshot, second.snapshot])
        #expect(result.brokenPacks == [place.pack])
        #expect(result.advice == ["stillpoint repair packs \(place.pack)", "stillpoint repair snapshots --forget"])
    }

    @Test func `a damaged tree names every snapshot that has it`() throws {
        var snapshots: Set<ObjectID> = []
        var previous: TreeNode?
        for number in 0..<6 {
            try source.write("\(number)", to: "src/number")
            let backup = try fixture.backup(source.path("src"), previous: previous)
            previous = backup.node
            snapshots.insert(backup.snapshot)
        }
        let root = try #require(previous?.subtree)
        let tree = try #require(
            BlobLoader(fixture.open()).loadTree(root).first { $0.name == Array("dir".utf8) }?.subtree)
        let place = try #require(fixture.open().index.location(of: tree, .tree))
        try fixture.flip(ObjectKind.pack.key(place.pack), at: Int(place.blob.offset) + 20)
        let result = try check()
        let finding = try #require(result.findings.first { $0.isError })
        #expect(result.findings.count(where: \.isError) == 1)
        #expect(finding.kind == .damagedTree && finding.object == tree)
        #expect(finding.concern.paths == ["/data/dir"])
        #expect(Set(finding.concern.snapshots) == snapshots)
        #expect(finding.message.contains("Needed by /data/dir of 6 snapshots ("), "\(finding.message)")
    }

    @Test func `an entry of an unknown type leaves the rest of its tree readable`() throws {
        let time = "2020-01-01T00:00:00Z"
        let rest =
            "\"mtime\":\"\(time)\",\"atime\":\"\(time)\",\"ctime\":\"\(time)\",\"uid\":0,\"gid\":0,\"content\":null"
        let text = """
            {"nodes":[{"name":"door","type":"door",\(rest)},{"name":"fifo","type":"fifo",\(rest)},\
            {"name":"odd","type":"irregular",\(rest)}]}

            """
        let (tree, id) = try snapshot(Array(text.utf8))
        let nodes = try BlobLoader(fixture.open()).loadTree(tree)
        #expect(nodes.map(\.kind) == [.irregular, .fifo, .irregular])
        #expect(nodes[0].unknownKind == Array("door".utf8))
        #expect(TreeEncoding.encoded(nodes) == Array(text.utf8), "a copy of the tree is the same tree")
        let result = try check()
        #expect(
            result.findings.map(\.message) == [
                "The entry 'door' of tree \(tree) is of the type 'door', which nobody knows. It is /door of snapshot \(id.short).",
                "The entry 'odd' of tree \(tree) is of the type 'irregular', which nobody knows. It is /odd of snapshot \(id.short).",
            ])
    }

    @Test func `many missing blobs are one finding that names who needs them`() throws {
        let epoch = Timestamp(seconds: 0)
        let nodes = (100..<140).map { number in
            var node = TreeNode(
                name: Array("f\(number)".utf8), kind: .file, modified: epoch, accessed: epoch, changed: epoch)
            node.content = [TreeTests.id(UInt8(number))]
            node.size = 5
            return node
        }
        let (_, id) = try snapshot(TreeEncoding.encoded(nodes))
        let result = try check()
        let finding = try #require(result.findings.first)
        #expect(result.findings.count == 1)
        #expect(finding.kind == .missingBlob && finding.lostBlobs.count == 40)
        #expect(finding.concern.paths.count == 40 && finding.concern.snapshots == [id])
        #expect(finding.message.hasPrefix("40 data blobs are in no index ("))
        #expect(
            finding.message.hasSuffix(
                "Needed by /f100, /f101, /f102, /f103, /f104 and 35 more of snapshot \(id.short)."))
    }

    @Test func `what another pack has intact concerns nobody`() throws {
        let first = try fixture.backup(source.path("src"))
        let other = try OpenRepository.open(fixture.store, password: RepositoryFixture.password)
        let archiver = try Archiver(other, observer: fixture.observer, cancellation: fixture.cancellation)
        _ = try archiver.archive(path: source.path("src"), as: "data", previous: nil, options: .init())
        try archiver.finish()
        let places = try fixture.open().index.locations(of: ObjectID(hashing: Array("first".utf8)), .data)
        #expect(places.count == 2)
        var result = try check()
        #expect(result.isClean && result.findings.map(\.kind) == [.duplicateBlobs])
        #expect(result.findings[0].message.hasPrefix("4 blobs with "), "\(result.findings)")
        for place in places {
            let bytes = try fixture.memory.get(ObjectKind.pack.key(place.pack), range: nil)
            fixture.memory.replace(ObjectKind.pack.key(place.pack), with: nil)
            result = try check(.all)
            let finding = try #require(result.findings.first { $0.isError })
            #expect(finding.kind == .missingPack && finding.lostBlobs == [] && finding.concern.paths == [])
            fixture.memory.replace(ObjectKind.pack.key(place.pack), with: bytes)
        }
        for place in places { fixture.memory.replace(ObjectKind.pack.key(place.pack), with: nil) }
        result = try check()
        #expect(
            result.findings.filter { $0.kind == .missingPack }.map(\.concern.snapshots) == [
                [first.snapshot], [first.snapshot],
            ])
    }

    @Test func `unused blobs, and packs that hold nothing of the index, are hints`() throws {
        let first = try fixture.backup(source.path("src"))
        fixture.memory.replace(ObjectKind.snapshot.key(first.snapshot), with: nil)
        let result = try check()
        #expect(result.isClean)
        #expect(result.findings.map(\.kind) == [.unusedBlobs])
        // Two contents, the trees of "dir", "src" and the root.
        #expect(result.findings[0].message.hasPrefix("5 blobs with "), "\(result.findings[0].message)")
        #expect(result.advice == [])
    }

    @Test func `an index that places blobs wrongly is found by reading the packs`() throws {
        try fixture.backup(source.path("src"))
        let index = try #require(fixture.keys(.index).first)
        let repository = try fixture.open(loading: false)
        var packs: [(id: ObjectID, blobs: [PackedBlob])] = []
        let id = try #require(ObjectKind.index.id(of: index))
        let bytes = try repository.loadUnpacked(.index, id)
        try bytes.withUnsafeBytes { try IndexDocument.forEachPack(in: $0) { packs.append(($0, $1)) } }
        let position = try #require(packs.firstIndex { $0.blobs.contains { $0.kind == .data } })
        let moved = packs[position].blobs[1]
        packs[position].blobs[1].offset = 0
        try repository.saveUnpacked(.index, IndexDocument.encoded(packs))
        fixture.memory.replace(index, with: nil)
        #expect(try check().isClean)
        let result = try check(.all)
        let kinds = result.findings.filter(\.isError).map(\.kind)
        #expect(kinds == [.wrongIndex, .wrongIndex])
        #expect(
            result.findings.contains { $0.lostBlobs == [moved.id] && !$0.concern.paths.isEmpty }, "\(result.findings)")
        #expect(result.advice.contains("stillpoint repair index"))
    }

    @Test func `groups read what they should`() throws {
        try fixture.backup(source.path("src"))
        let packs = try fixture.open().index.packs
        for number in 1...5 {
            let expected = packs.keys.filter { Int($0.bytes[0]) % 5 == number - 1 }
            let result = try check(.group(number, of: 5))
            #expect(result.packsRead == expected.count)
            #expect(result.bytesRead == expected.reduce(0) { $0 + (packs[$1] ?? 0) })
        }
        #expect(try check(.percent(1)).packsRead == 1)
    }
}
