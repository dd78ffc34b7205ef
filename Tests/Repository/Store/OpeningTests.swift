import ObjectStorage
import RepositoryCrypto
import RepositoryFormat
import TestSupport
import Testing

@testable import Repository

@Suite struct OpeningTests {
    private func open(_ fixture: MemoryFixture, _ password: String = "secret") throws -> OpenRepository {
        try OpenRepository.open(fixture.store, password: Array(password.utf8))
    }

    private func code(_ body: () throws -> Void) -> RepositoryError.Code? {
        do {
            try body()
            return nil
        } catch { return (error as? RepositoryError)?.code }
    }

    @Test func `a repository is not made where one is`() throws {
        let fixture = try MemoryFixture()
        try fixture.initialize()
        let before = fixture.memory.keys
        #expect(code { try fixture.initialize() } == .exists)
        #expect(fixture.memory.keys == before)
        #expect(fixture.spooled == [])
    }

    @Test func `keys without a config are not built upon`() throws {
        let fixture = try MemoryFixture()
        try fixture.initialize()
        fixture.memory.replace("config", with: nil)
        let error = #expect(throws: RepositoryError.self) { try fixture.initialize() }
        #expect(error?.code == .damaged)
        #expect(error?.message.hasPrefix("The destination has keys but no config") == true)
        #expect(code { _ = try open(fixture) } == .noRepository)
    }

    @Test func `every key opens with its own password, others open nothing`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        for password in ["second", "", "drïtte"] {
            try repository.addKey(
                password: Array(password.utf8), identity: RepositoryFixture.identity, now: Timestamp(seconds: 0),
                derivation: RepositoryFixture.cheap)
        }
        var opened: Set<ObjectID> = []
        for password in ["secret", "second", "", "drïtte"] { opened.insert(try open(fixture, password).keyID) }
        #expect(opened.count == 4)
        #expect(try repository.keys().count == 4)
        for wrong in ["Secret", "secret ", "secret\n", "x"] {
            let error = #expect(throws: RepositoryError.self) { try open(fixture, wrong) }
            #expect(error?.code == .wrongPassword)
            #expect(error?.message == "The password opens none of the repository's 4 keys; check the password.")
        }
    }

    @Test func `damaged keys do not hide a good one`() throws {
        let fixture = try MemoryFixture()
        try fixture.initialize()
        for (number, bytes) in [[], Array("{".utf8), Array("{\"kdf\":\"scrypt\",\"N\":0}".utf8)].enumerated() {
            fixture.memory.replace("keys/" + TreeTests.id(UInt8(number)).hexadecimal, with: bytes)
        }
        // What other programs leave behind is no key at all.
        fixture.memory.replace("keys/tmp-123", with: [1, 2, 3])
        #expect(try open(fixture).config.version == 2)
        #expect(code { _ = try open(fixture, "wrong") } == .damaged)
        #expect(try fixture.open().keys().count == 1)
    }

    @Test func `a damaged key is not taken for a wrong password`() throws {
        let fixture = try MemoryFixture()
        try fixture.initialize()
        let key = try #require(fixture.keys(.key).first)
        let bytes = try fixture.memory.get(key, range: nil)
        let marker = Array("\"salt\":\"".utf8)
        let position = try #require(bytes.indices.first { bytes[$0...].starts(with: marker) }) + marker.count
        var changed = bytes
        changed[position] = changed[position] == 0x41 ? 0x42 : 0x41
        fixture.memory.replace(key, with: changed)
        let error = #expect(throws: RepositoryError.self) { try open(fixture) }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains(key.dropFirst(5)) == true)
    }

    @Test func `a changed or foreign config is damaged, and no config is no repository`() throws {
        let fixture = try MemoryFixture()
        let other = try MemoryFixture()
        #expect(code { _ = try open(fixture) } == .noRepository)
        try fixture.initialize()
        try other.initialize()
        let config = try fixture.memory.get("config", range: nil)
        for bytes in [[], Array(config.dropLast()), try other.memory.get("config", range: nil)] {
            fixture.memory.replace("config", with: bytes)
            let error = #expect(throws: RepositoryError.self) { try open(fixture) }
            #expect(error?.code == .damaged)
            #expect(error?.message.hasPrefix("The config of the repository is damaged: ") == true)
            #expect(error?.message.contains(".;") == false)
        }
        try fixture.flip("config", at: 0)
    }

    @Test func `a repository of version 1 is read and never written`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        let config = RepositoryConfig(
            version: 1, id: repository.config.id, chunkerPolynomial: repository.config.chunkerPolynomial)
        fixture.memory.replace("config", with: try repository.makeSealer().seal(config.encoded()))
        // Version 1 does not compress its documents.
        let record = SnapshotRecord(
            time: Timestamp(seconds: 0), tree: TreeTests.id(1), paths: ["/x"], hostname: "h")
        let sealed = try repository.makeSealer().seal(record.encoded())
        fixture.memory.replace(ObjectKind.snapshot.key(ObjectID(hashing: sealed)), with: sealed)
        let old = try fixture.open()
        #expect(try old.snapshots(cancellation: fixture.cancellation).map(\.record) == [record])
        #expect(code { _ = try old.save(record) } == .readOnly)
        #expect(code { _ = try BlobSaver(old, cancellation: fixture.cancellation) } == .readOnly)
    }

    @Test func `snapshots are found by latest, by id and by its first digits`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        var ids: [ObjectID] = []
        for second in 0..<40 {
            ids.append(
                try repository.save(
                    SnapshotRecord(
                        time: Timestamp(seconds: Int64(40 - second)), tree: TreeTests.id(1), paths: [], hostname: "h")))
        }
        let snapshots = try repository.snapshots(cancellation: fixture.cancellation)
        #expect(snapshots.map(\.id) == ids.reversed())
        #expect(try snapshots.named("latest").id == ids[0])
        #expect(try snapshots.named(ids[7].hexadecimal).id == ids[7])
        #expect(try snapshots.named(ids[7].short.uppercased()).id == ids[7])
        #expect(code { _ = try snapshots.named("") } == .notFound)
        #expect(code { _ = try snapshots.named("xyz") } == .notFound)
        // Of 40 ids two start with the same digit.
        let digits = Dictionary(grouping: ids, by: { $0.hexadecimal.prefix(1) }).filter { $0.value.count > 1 }
        let shared = try #require(digits.keys.first)
        #expect(code { _ = try snapshots.named(String(shared)) } == .ambiguous)
    }

    @Test func `of two inits at once one fails and leaves no key`() throws {
        let fixture = try MemoryFixture { call in
            if call.kind == .put, call.key == "config" {
                throw ObjectStoreError(code: .conflict, message: "There is another config.")
            }
        }
        #expect(code { try fixture.initialize() } == .exists)
        #expect(fixture.keys(.key) == [])
    }

    @Test func `an init on a full store is the store's error and leaves no config`() throws {
        let fixture = try MemoryFixture { call in
            if call.kind == .put, call.key == "config" {
                throw ObjectStoreError(code: .noSpace, message: "It is full.")
            }
        }
        let error = #expect(throws: ObjectStoreError.self) { try fixture.initialize() }
        #expect(error?.code == .noSpace)
        #expect(fixture.spooled == [])
    }
}
