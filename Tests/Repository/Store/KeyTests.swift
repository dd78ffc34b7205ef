import Foundation
import ObjectStorage
import Repository
import RepositoryCrypto
import RepositoryFormat
import Synchronization
import TestSupport
import Testing

/// Passwords come and go; the repository can always be opened.
@Suite struct KeyTests {
    private static let other = Array("another".utf8)
    private static let now = Timestamp(seconds: 1_700_000_000)

    @discardableResult
    private func add(_ repository: OpenRepository, _ password: [UInt8] = other) throws -> ObjectID {
        try repository.addKey(
            password: password, identity: RepositoryFixture.identity, now: Self.now, derivation: RepositoryFixture.cheap
        )
    }

    @Test func `a removed key opens nothing any more, the others do`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        let id = try add(repository)
        #expect(try OpenRepository.open(fixture.store, password: Self.other).keyID == id)
        #expect(try repository.removeKey(named: id.short) == id)
        let error = #expect(throws: RepositoryError.self) {
            try OpenRepository.open(fixture.store, password: Self.other)
        }
        #expect(error?.code == .wrongPassword)
        #expect(try OpenRepository.open(fixture.store, password: RepositoryFixture.password).keyID == repository.keyID)
    }

    @Test func `the key in use, the last one, and a name that fits none or several stay`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        var error = #expect(throws: RepositoryError.self) { try repository.removeKey(named: repository.keyID.short) }
        #expect(error?.code == .keyInUse)
        let id = try add(repository)
        error = #expect(throws: RepositoryError.self) { try repository.removeKey(named: repository.keyID.hexadecimal) }
        #expect(error?.code == .keyInUse)
        for name in ["", "zz", "0123456789abcdef0123"] {
            error = #expect(throws: RepositoryError.self) { try repository.removeKey(named: name) }
            #expect(error?.code == .notFound)
        }
        // Somebody else has removed the key that this process has opened the repository with.
        fixture.memory.replace(ObjectKind.key.key(repository.keyID), with: nil)
        error = #expect(throws: RepositoryError.self) { try repository.removeKey(named: id.short) }
        #expect(error?.code == .keyInUse && error?.message.contains("last one") == true)
        #expect(fixture.keys(.key) == [ObjectKind.key.key(id)])
    }

    @Test func `a change of the password leaves one key, for the new one`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        let id = try repository.changePassword(
            to: Self.other, identity: RepositoryFixture.identity, now: Self.now, derivation: RepositoryFixture.cheap)
        #expect(fixture.keys(.key) == [ObjectKind.key.key(id)])
        #expect(try OpenRepository.open(fixture.store, password: Self.other).keyID == id)
        #expect(throws: RepositoryError.self) {
            try OpenRepository.open(fixture.store, password: RepositoryFixture.password)
        }
    }

    @Test(arguments: [FaultyObjectStore.Call.Kind.put, .get, .delete])
    func `a change of the password that is cut short leaves the old one working`(
        kind: FaultyObjectStore.Call.Kind
    ) throws {
        let isFailing = Mutex(false)
        let fixture = try MemoryFixture("keys") { call in
            guard isFailing.withLock({ $0 }), call.kind == kind, call.key.hasPrefix("keys/") else { return }
            throw ObjectStoreError(code: .unavailable, message: "the store is gone")
        }
        let repository = try fixture.initialize()
        isFailing.withLock { $0 = true }
        #expect(throws: ObjectStoreError.self) {
            try repository.changePassword(
                to: Self.other, identity: RepositoryFixture.identity, now: Self.now, derivation: RepositoryFixture.cheap
            )
        }
        isFailing.withLock { $0 = false }
        #expect(try OpenRepository.open(fixture.store, password: RepositoryFixture.password).keyID == repository.keyID)
    }

    @Test func `stock restic opens with a changed password and lists what is left`() throws {
        let fixture = try RepositoryFixture("restic-keys")
        let repository = try fixture.initialize()
        let spare = try add(repository, Array("spare".utf8))
        let id = try repository.changePassword(
            to: Self.other, identity: RepositoryFixture.identity, now: Self.now, derivation: RepositoryFixture.cheap)
        let result = try fixture.run(
            """
            export RESTIC_PASSWORD=another
            restic key list --json -q | python3 -c 'import json,sys; print(*sorted(k["id"] for k in json.load(sys.stdin)))'
            restic key remove -q \(spare.short) > /dev/null && restic check -q && restic snapshots -q
            RESTIC_PASSWORD=secret restic snapshots -q 2>/dev/null || echo refused
            """)
        #expect(result.output.contains("refused"), "\(result.output)")
        let ids = (result.output.split(separator: "\n").first ?? "").split(separator: " ")
        #expect(ids.count == 2 && ids.allSatisfy { id.hexadecimal.hasPrefix($0) || spare.hexadecimal.hasPrefix($0) })
    }
}
