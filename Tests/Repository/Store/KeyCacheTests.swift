import Glibc
import ObjectStorage
import RepositoryCrypto
import RepositoryFormat
import Synchronization
import TestSupport
import Testing
import Threads

@testable import Repository

@Suite struct KeyCacheTests {
    /// Keeps secrets in this process, and counts.
    private final class MemoryKeeper: SecretKeeper {
        private let secrets = Mutex<[String: [UInt8]]>([:])
        var all: [String: [UInt8]] { secrets.withLock { $0 } }
        func secret(named name: String) -> [UInt8]? { secrets.withLock { $0[name] } }
        func keep(_ secret: [UInt8], named name: String) { secrets.withLock { $0[name] = secret } }
        func prolong(_ name: String) {}
        func forget(_ name: String) { secrets.withLock { $0[name] = nil } }
    }

    /// Keeps nothing, as a kernel does that refuses.
    private struct NoKeeper: SecretKeeper {
        func secret(named name: String) -> [UInt8]? { nil }
        func keep(_ secret: [UInt8], named name: String) {}
        func prolong(_ name: String) {}
        func forget(_ name: String) {}
    }

    private func open(_ fixture: MemoryFixture, _ keeper: any SecretKeeper, _ password: String = "secret") throws
        -> OpenRepository
    {
        try OpenRepository.open(fixture.store, password: Array(password.utf8), keyCache: KeyCache(keeper))
    }

    private func keyReads(_ fixture: MemoryFixture) -> Int {
        fixture.store.calls.withLock { $0.filter { $0.kind == .get && $0.key.hasPrefix("keys/") }.count }
    }

    @Test func `the second opening needs no key file, and opens the same`() throws {
        let fixture = try MemoryFixture()
        try fixture.initialize()
        let keeper = MemoryKeeper()
        let first = try open(fixture, keeper)
        #expect(keyReads(fixture) == 1)
        let second = try open(fixture, keeper)
        #expect(keyReads(fixture) == 1, "the key was remembered")
        #expect(second.keyID == first.keyID && second.sealingKey == first.sealingKey)
        #expect(second.config == first.config)
    }

    @Test func `what is kept holds neither password nor key`() throws {
        let fixture = try MemoryFixture()
        try fixture.initialize()
        let keeper = MemoryKeeper()
        let repository = try open(fixture, keeper)
        let kept = try #require(keeper.all.values.first)
        #expect(keeper.all.count == 1 && kept.count == 1 + 32 + 96 + 32)
        func contains(_ part: [UInt8]) -> Bool { kept.indices.contains { kept[$0...].starts(with: part) } }
        let key = repository.sealingKey
        for part in [key.encryption, key.macK, key.macR, Array("secret".utf8)] { #expect(!contains(part)) }
        _ = try open(fixture, keeper)
        keeper.forget(keeper.all.keys.first ?? "")
        _ = try open(fixture, keeper)
        #expect(keeper.all.values.first != kept, "each time another salt")
    }

    @Test func `a wrong password never opens, whatever is kept`() throws {
        let fixture = try MemoryFixture()
        try fixture.initialize()
        let keeper = MemoryKeeper()
        _ = try open(fixture, keeper)
        let kept = keeper.all
        for wrong in ["", "secret ", "Secret", "secret\n", "x"] {
            let error = #expect(throws: RepositoryError.self) { try open(fixture, keeper, wrong) }
            #expect(error?.code == .wrongPassword)
        }
        #expect(keeper.all == kept)
    }

    @Test func `a key that was removed opens nothing any more, and is forgotten`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        try repository.addKey(
            password: Array("second".utf8), identity: RepositoryFixture.identity, now: Timestamp(seconds: 0),
            derivation: RepositoryFixture.cheap)
        let keeper = MemoryKeeper()
        _ = try open(fixture, keeper)
        fixture.memory.replace(ObjectKind.key.key(repository.keyID), with: nil)
        let error = #expect(throws: RepositoryError.self) { try open(fixture, keeper) }
        #expect(error?.code == .wrongPassword)
        #expect(keeper.all.isEmpty)
        #expect(try open(fixture, keeper, "second").keyID != repository.keyID)
    }

    @Test func `what was kept for one repository opens no other`() throws {
        let (fixture, other) = (try MemoryFixture(), try MemoryFixture())
        try fixture.initialize()
        try other.initialize()
        let keeper = MemoryKeeper()
        _ = try open(fixture, keeper)
        let mine = try #require(keeper.all.first)
        _ = try open(other, keeper)
        let name = try #require(keeper.all.keys.first { $0 != mine.key })
        keeper.keep(mine.value, named: name)
        let reads = keyReads(other)
        _ = try open(other, keeper)
        #expect(keyReads(other) == reads + 1, "the foreign secret was of no use")
    }

    @Test func `every cut and every flipped bit of what is kept is of no use and no error`() throws {
        let fixture = try MemoryFixture()
        try fixture.initialize()
        let keeper = MemoryKeeper()
        let repository = try open(fixture, keeper)
        let (name, kept) = try #require(keeper.all.first)
        let config = try fixture.memory.get("config", range: nil)
        func tried(_ changed: [UInt8]) -> Bool {
            keeper.keep(changed, named: name)
            let key = KeyCache(keeper).key(config, password: RepositoryFixture.password, listed: [repository.keyID])
            return key != nil
        }
        #expect(tried(kept))
        for position in kept.indices {
            #expect(!tried(Array(kept[0..<position])))
            var changed = kept
            changed[position] ^= 1
            #expect(!tried(changed))
        }
    }

    @Test func `without a keyring every opening derives the key`() throws {
        let fixture = try MemoryFixture()
        try fixture.initialize()
        _ = try open(fixture, NoKeeper())
        _ = try open(fixture, NoKeeper())
        #expect(keyReads(fixture) == 2)
    }

    @Test func `the kernel's keyring keeps and forgets, or does neither`() throws {
        let keyring = KernelKeyring()
        let name = "test:\(getpid())-\(UInt64.random(in: 0 ... .max))"
        #expect(keyring.secret(named: name) == nil)
        keyring.keep([1, 2, 3], named: name)
        // Containers often refuse keyrings altogether.
        guard let found = keyring.secret(named: name) else { return }
        #expect(found == [1, 2, 3])
        keyring.prolong(name)
        keyring.keep([4], named: name)
        #expect(keyring.secret(named: name) == [4])
        keyring.forget(name)
        #expect(keyring.secret(named: name) == nil)
        keyring.forget(name)
    }
}
