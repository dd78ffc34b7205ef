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
        settling: RepositoryLock.Settling = .waited, cancellation: Cancellation = Cancellation(),
        remarks: RepositoryLock.Remarks = .init()
    ) throws -> RepositoryLock {
        try RepositoryLock(
            repository, exclusive: exclusive, identity: RepositoryFixture.identity, clock: clock, settling: settling,
            patience: patience, refreshInterval: refreshInterval, cancellation: cancellation, remarks: remarks)
    }

    /// A lock of somebody else.
    private func document(
        age: Int64 = 0, exclusive: Bool = true, host: String = Self.host, pid: Int64 = Int64(getpid()),
        bootID: String? = nil, start: Int64? = nil, space: Int64? = nil, machine: String? = nil
    ) -> LockDocument {
        LockDocument(
            time: Timestamp(seconds: Self.now.seconds - age), exclusive: exclusive, hostname: host, username: "other",
            pid: pid, uid: 0, gid: 0, bootID: bootID, processStart: start, processNamespace: space, machine: machine)
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
        let proofs = Condition<[String]>([])
        let remarks = RepositoryLock.Remarks(removed: { _, proof in proofs.withLock { $0.append(proof) } })
        try lock(repository, exclusive: true, remarks: remarks).release()
        #expect(proofs.withLock { $0 } == ["it was last refreshed 30 minutes ago"])
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
        let machine = MachineIdentity(
            bootID: own.bootID, processNamespace: 7, machine: "this", bootSeconds: Self.now.seconds - 60)
        func proof(_ document: LockDocument) -> String? {
            document.proofOfDeath(now: Self.now, hostname: Self.host, machine: machine)
        }
        // Alive.
        #expect(proof(document(bootID: own.bootID, start: own.start)) == nil)
        #expect(proof(document(bootID: own.bootID, start: own.start, space: 7)) == nil)
        #expect(proof(document()) == nil)
        #expect(proof(document(pid: 1)) == nil)
        // The same number is another process now.
        #expect(
            proof(document(bootID: own.bootID, start: own.start - 1, space: 7))
                == "process \(own.pid) started \(own.start) ticks after boot, the lock's holder at \(own.start - 1)")
        // Another boot of this machine, and nothing that could be another machine of the same name.
        let old = document(age: 61, bootID: "another-boot", start: own.start, machine: "this")
        #expect(proof(old) == "the machine was restarted since (its boot id was another-boot)")
        #expect(proof(document(age: 59, bootID: "another-boot", start: own.start, machine: "this")) == nil)
        #expect(proof(document(age: 61, bootID: "another-boot", start: own.start, machine: "that")) == nil)
        #expect(proof(document(age: 61, bootID: "another-boot", start: own.start)) == nil)
        // No process can have an id beyond the kernel's limit of 2^22 (proc(5), pid_max).
        #expect(
            proof(document(pid: 5_000_000, bootID: own.bootID, start: 1, space: 7))
                == "no process of this machine has the id 5000000 since boot \(own.bootID)")
        #expect(proof(document(pid: 5_000_000)) == "no process of this machine has the id 5000000")
        // Numbers of another container mean nothing here.
        #expect(proof(document(pid: 5_000_000, bootID: own.bootID, start: 1, space: 8)) == nil)
        // Nothing is known of other machines, nor from numbers that are none.
        #expect(proof(document(host: "elsewhere", pid: 5_000_000)) == nil)
        for pid in [0, -1, Int64.max, Int64.min] { #expect(proof(document(pid: pid)) == nil) }
        var strange = document()
        strange.time = Timestamp(seconds: .min)
        #expect(proof(strange) == nil, "an age that cannot be computed proves nothing")
    }

    @Test func `a lock tells what proves its holder dead later`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        let held = try lock(repository, exclusive: false)
        let machine = try #require(MachineIdentity.current)
        let document = try #require(try repository.locks().first?.lock)
        let own = try #require(ProcessIdentity.current())
        #expect((document.pid, document.processStart) == (own.pid, own.start))
        #expect(document.bootID == machine.bootID && document.bootID == own.bootID)
        #expect(document.processNamespace == machine.processNamespace && document.machine == machine.machine)
        #expect(machine.bootSeconds > 0 && machine.bootSeconds <= Int64(time(nil)))
        try held.release()
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
        fixture.memory.replace(ObjectKind.lock.key(TreeTests.id(1)), with: [1])
        let error = #expect(throws: RepositoryError.self) { try lock(repository, exclusive: false) }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains("The lock \(TreeTests.id(1))") == true)
        #expect(throws: RepositoryError.self) { try repository.unlock(all: false, now: Self.now, hostname: Self.host) }
        #expect(fixture.keys(.lock).count == 2)
        let removed = try repository.unlock(all: true, now: Self.now, hostname: Self.host)
        #expect(removed.map(\.lock.hostname) == ["elsewhere"])
        #expect(fixture.keys(.lock) == [], "\(id)")
    }

    @Test func `unlocking removes the dead and leaves the living`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        _ = try repository.saveLock(document(pid: 5_000_000))
        let living = try repository.saveLock(document(host: "elsewhere"))
        let removed = try repository.unlock(all: false, now: Self.now, hostname: Self.host)
        #expect(removed.map(\.lock.pid) == [5_000_000])
        #expect(removed.map(\.proof) == ["no process of this machine has the id 5000000"])
        #expect(try repository.locks().map(\.id) == [living])
    }

    @Test func `an empty lock is what an interrupted upload leaves and bars nobody`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        fixture.memory.replace(ObjectKind.lock.key(TreeTests.id(1)), with: [])
        try lock(repository, exclusive: true).release()
        #expect(try repository.unlock(all: false, now: Self.now, hostname: Self.host).isEmpty)
        #expect(fixture.keys(.lock).count == 1)
        _ = try repository.unlock(all: true, now: Self.now, hostname: Self.host)
        #expect(fixture.keys(.lock) == [])
    }
}
