import Archiving
import Chunking
import Maintenance
import ObjectStorage
import RepositoryCrypto
import RepositoryFormat
import TestSupport
import Testing

@testable import Repository

/// Objects that are sealed with the right key and say what cannot be: written by a faulty program, or by somebody who
/// knows the password.
@Suite struct HostileObjectTests {
    private let memory: MemoryFixture
    private let repository: OpenRepository
    private let source: TemporaryDirectory

    init() throws {
        memory = try MemoryFixture("hostile")
        repository = try memory.initialize()
        source = try TemporaryDirectory("hostile-source")
        try source.write("content", to: "source/file")
        try source.write("more", to: "source/sub/other")
    }

    private func replaceConfig(version: Int64, polynomial: String) throws {
        let config = RepositoryConfig(version: version, id: repository.config.id, chunkerPolynomial: polynomial)
        memory.memory.replace(configKey, with: try repository.makeSealer().seal(config.encoded()))
    }

    @Test func `a config of version 99 is refused and names the version`() throws {
        try replaceConfig(version: 99, polynomial: repository.config.chunkerPolynomial)
        let error = #expect(throws: RepositoryError.self) { try memory.open() }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains("version 99 of the repository format is newer") == true)
    }

    /// A polynomial of degree 54, 0, one that factors (x^53), and no number.
    @Test(arguments: ["40000000000000", "0", "1", "20000000000000", "xyz", "", "ffffffffffffffff"])
    func `a wrong polynomial is refused when it would cut badly`(_ polynomial: String) throws {
        try replaceConfig(version: 2, polynomial: polynomial)
        let error = #expect(throws: RepositoryError.self) { try memory.open() }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains("polynomial") == true)
    }

    /// Pairs of offset and length, with the length of the content.
    @Test(arguments: [
        (UInt32(0), UInt32.max, UInt32?.none), (.max - 32, 32, nil), (0, 32, .max), (0, 40, 1 << 30),
        (1 << 31, 1 << 31 - 1, 9),
        (5, 33, nil),
    ])
    func `an index that lies about a blob costs no memory and restores nothing wrong`(
        _ offset: UInt32, _ length: UInt32, _ size: UInt32?
    ) throws {
        let backup = try memory.backup(source.path("source"))
        let honest = try memory.open()
        var lies: [(id: ObjectID, blobs: [PackedBlob])] = []
        for key in memory.keys(.pack) {
            let pack = try #require(ObjectKind.pack.id(of: key))
            let bytes = try memory.memory.get(key, range: nil)
            let blobs = try bytes.withUnsafeBytes { try BlobLoader(honest).header(of: $0) }
            lies.append(
                (
                    pack,
                    blobs.map {
                        PackedBlob(id: $0.id, kind: $0.kind, offset: offset, length: length, uncompressedLength: size)
                    }
                ))
        }
        for key in memory.keys(.index) { memory.memory.replace(key, with: nil) }
        try honest.saveUnpacked(.index, IndexDocument.encoded(lies))
        let target = try TemporaryDirectory("hostile-target")
        let statistics = try memory.restore(backup.node, to: target.path("target"))
        #expect(statistics.failures > 0)
        #expect(!memory.observer.messages.isEmpty)
        #expect(CorruptionFixture.entries(target.path("target"), below: "").isEmpty)
        #expect(try memory.check(readData: true).errors.isEmpty == false)
    }

    @Test(arguments: [
        "", "{", "[]", "{\"packs\":{}}", "{\"packs\":[{\"id\":\"00\"}]}", "{\"packs\":[{\"blobs\":[]}]}", "\u{0}",
        String(repeating: "[", count: 100_000),
    ])
    func `an index that is none is named and costs nothing else`(_ text: String) throws {
        let backup = try memory.backup(source.path("source"))
        let id = try repository.saveUnpacked(.index, Array(text.utf8))
        let target = try TemporaryDirectory("hostile-target")
        var told: [ObjectID] = []
        let reader = try memory.open(loading: false)
        try reader.loadIndex(cancellation: memory.cancellation) { kind, id, _ in
            #expect(kind == .index)
            told.append(id)
        }
        #expect(told == [id])
        let restorer = Restorer(reader, observer: memory.observer, cancellation: memory.cancellation)
        try restorer.restore(backup.node, to: target.path("target"))
        #expect(restorer.statistics.failures == 0)
        #expect(try target.read("target/file") == Array("content".utf8))
        #expect(try target.read("target/sub/other") == Array("more".utf8))
        #expect(try memory.check(readData: false).errors.contains { $0.contains(id.hexadecimal) })
        let error = #expect(throws: RepositoryError.self) { try memory.open() }
        #expect(error?.message.contains(id.hexadecimal) == true)
    }

    @Test(arguments: [
        "", "{}", "null", "{\"nodes\":[{}]}", "{\"nodes\":[{\"name\":\"../x\",\"type\":\"file\"}]}",
        "{\"nodes\":[{\"name\":\"..\",\"type\":\"dir\"}]}", "{\"nodes\":[{\"name\":\"a\\u0000b\",\"type\":\"file\"}]}",
    ])
    func `a snapshot of a tree that is none is told, and the others are read`(_ text: String) throws {
        let backup = try memory.backup(source.path("source"))
        let writer = try memory.open()
        let saver = try BlobSaver(writer, cancellation: memory.cancellation)
        let tree = try BlobSaver.Worker(saver).save(Array(text.utf8), .tree).id
        try saver.finish()
        var record = try writer.snapshots(cancellation: memory.cancellation)[0].record
        record.tree = tree
        let id = try writer.save(record)
        let errors = try memory.check(readData: true).errors
        if text != "{}" { #expect(errors.contains { $0.contains(id.short) }) } else { #expect(errors.isEmpty) }
        let target = try TemporaryDirectory("hostile-target")
        try memory.restore(backup.node, to: target.path("target"))
        #expect(try target.read("target/file") == Array("content".utf8))
    }
}
