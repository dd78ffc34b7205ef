import Glibc
import ObjectStorage
import RepositoryFormat
import TestSupport
import Testing
import Threads

@testable import Repository

@Suite struct LockTests {
    static let host = RepositoryFixture.identity.hostname
    static let now = Timestamp(seconds: 1_700_000_000)

    private func lock(
        _ repository: OpenRepository, exclusive: Bool, patience: Duration = .zero,
        refreshInterval: Duration = .seconds(300), clock: @escaping @Sendable () -> Timestamp = { now },
        cancellation: Cancellation = Cancellation(), removed: (LockDocument, String) -> Void = { _, _ in }
    ) throws -> RepositoryLock {
        try RepositoryLock(
            repository, exclusive: exclusive, identity: RepositoryFixture.identity, clock: clock, patience: patience,
            refreshInterval: refreshInterval, cancellation: cancellation, removed: removed)
    }

    /// A lock of somebody else.
    private func document(
        age: Int64 = 0, exclusive: Bool = true, host: String = Self.host, pid: Int64 = Int64(getpid()),
        bootID: String? = nil, start: Int64? = nil
    ) -> LockDocument {
        LockDocument(
            time: Timestamp(seconds: Self.now.seconds - age), exclusive: exclusive, hostname: host, username: "other",
            pid: pid, uid: 0, gid: 0, bootID: bootID, processStart: start)
    }

    @Test func `shared locks stand beside each other and go when released`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        let first = try lock(repository, exclusive: false)
        let second = try lock(repository, exclusive: false)
        #expect(try repository.locks().count == 2)
        try first.release()
        #expect(try repository.locks().count == 1)
        try second.release()
        try second.release()
        #expect(fixture.keys(.lock) == [])
    }

    @Test(arguments: [(true, true), (true, false), (false, true)])
    func `an exclusive lock tolerates no other, and none tolerates it`(held: Bool, wanted: Bool) throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        let first = try lock(repository, exclusive: held)
        let error = #expect(throws: RepositoryError.self) { try lock(repository, exclusive: wanted) }
        #expect(error?.code == .locked)
        #expect(error?.message.contains("locked by process \(getpid()) on test-host (user tester)") == true)
        #expect(fixture.keys(.lock).count == 1, "who was refused leaves nothing behind")
        try first.release()
        try lock(repository, exclusive: wanted).release()
    }

    @Test func `who is patient gets the lock when it is released`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        let held = try lock(repository, exclusive: true)
        let store = fixture.store
        let releaser = WorkerThread(name: "releaser") {
            // The other has looked at the locks by then.
            let lists = store.calls.withLock { $0.filter { $0.kind == .list }.count }
            _ = store.calls.wait(timeout: .seconds(30)) { calls in
                calls.filter { $0.kind == .list }.count > lists ? () : nil
            }
            try held.release()
        }
        try lock(repository, exclusive: true, patience: .seconds(30)).release()
        try releaser.join()
    }

    @Test func `a patient wait ends with a cancellation`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        let held = try lock(repository, exclusive: true)
        let cancellation = Cancellation()
        cancellation.cancel(.signal(2))
        #expect(throws: CancellationFailure(reason: .signal(2))) {
            try lock(repository, exclusive: true, patience: .seconds(30), cancellation: cancellation)
        }
        try held.release()
    }

    @Test func `a lock older than 30 minutes is removed with its proof, a younger one counts`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        _ = try repository.saveLock(document(age: 1801, host: "elsewhere"))
        var proofs: [String] = []
        try lock(repository, exclusive: true, removed: { proofs.append($1) }).release()
        #expect(proofs == ["it was last refreshed 30 minutes ago"])
        #expect(fixture.keys(.lock) == [])
        for age: Int64 in [1800, 0, -100_000] {
            let id = try repository.saveLock(document(age: age, host: "elsewhere"))
            #expect(throws: RepositoryError.self) { try lock(repository, exclusive: false) }
            fixture.memory.replace(ObjectKind.lock.key(id), with: nil)
        }
    }

    @Test func `only a process that is proven dead loses its lock`() throws {
        let own = try #require(ProcessIdentity.current())
        #expect(own.pid == Int64(getpid()) && own.start > 0 && own.bootID.count == 36)
        func proof(_ document: LockDocument) -> String? { document.proofOfDeath(now: Self.now, hostname: Self.host) }
        // Alive.
        #expect(proof(document(bootID: own.bootID, start: own.start)) == nil)
        #expect(proof(document()) == nil)
        #expect(proof(document(pid: 1)) == nil)
        // The same number is another process now.
        #expect(
            proof(document(bootID: own.bootID, start: own.start - 1))
                == "process \(own.pid) was started after the lock was made")
        #expect(proof(document(bootID: "another-boot", start: own.start)) == "the machine was restarted since")
        // No process can have an id beyond the kernel's limit of 2^22 (proc(5), pid_max).
        #expect(
            proof(document(pid: 5_000_000, bootID: own.bootID, start: 1))
                == "no process of this machine has the id 5000000")
        #expect(proof(document(pid: 5_000_000)) == "no process of this machine has the id 5000000")
        // Nothing is known of other machines, nor from numbers that are none.
        #expect(proof(document(host: "elsewhere", pid: 5_000_000)) == nil)
        for pid in [0, -1, Int64.max, Int64.min] { #expect(proof(document(pid: pid)) == nil) }
        var strange = document()
        strange.time = Timestamp(seconds: .min)
        #expect(proof(strange) == nil, "an age that cannot be computed proves nothing")
    }

    @Test func `a lock is refreshed by a younger one before the old one goes`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        let ticks = Counter()
        let held = try lock(
            repository, exclusive: true, refreshInterval: .milliseconds(20),
            clock: {
                ticks.add()
                return Timestamp(seconds: Self.now.seconds + Int64(ticks.value))
            })
        let calls = fixture.store.calls.wait(timeout: .seconds(30)) { calls -> [FaultyObjectStore.Call]? in
            let locks = calls.filter { $0.key.hasPrefix("locks/") && ($0.kind == .put || $0.kind == .delete) }
            return locks.filter { $0.kind == .delete }.count >= 2 ? locks : nil
        }
        let locks = try #require(calls)
        #expect(locks.prefix(3).map(\.kind) == [.put, .put, .delete])
        #expect(locks[2].key == locks[0].key, "the first lock goes when the second stands")
        let standing = try repository.locks()
        #expect(standing.contains { $0.lock.time.seconds > Self.now.seconds + 2 })
        try held.release()
        #expect(fixture.keys(.lock) == [])
    }

    @Test func `a lock that cannot be read bars the repository until all are removed`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        let id = try repository.saveLock(document(host: "elsewhere"))
        fixture.memory.replace(ObjectKind.lock.key(TreeTests.id(1)), with: [])
        let error = #expect(throws: RepositoryError.self) { try lock(repository, exclusive: false) }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains("The lock \(TreeTests.id(1))") == true)
        #expect(throws: RepositoryError.self) { try repository.unlock(all: false, now: Self.now, hostname: Self.host) }
        #expect(fixture.keys(.lock).count == 2)
        let removed = try repository.unlock(all: true, now: Self.now, hostname: Self.host)
        #expect(removed.map(\.hostname) == ["elsewhere"])
        #expect(fixture.keys(.lock) == [], "\(id)")
    }

    @Test func `unlocking removes the dead and leaves the living`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        _ = try repository.saveLock(document(pid: 5_000_000))
        let living = try repository.saveLock(document(host: "elsewhere"))
        #expect(try repository.unlock(all: false, now: Self.now, hostname: Self.host).map(\.pid) == [5_000_000])
        #expect(try repository.locks().map(\.id) == [living])
    }
}
