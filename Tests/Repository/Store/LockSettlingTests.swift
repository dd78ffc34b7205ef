import Archiving
import Glibc
import ObjectStorage
import RepositoryFormat
import Synchronization
import TestSupport
import Testing
import Threads

@testable import Repository

/// What may happen while a lock is not certain, and after it is lost.
@Suite struct LockSettlingTests {
    /// A clock on the wall that a test moves.
    private final class Clock: Sendable {
        private let seconds = Atomic<Int>(1_700_000_000)
        var now: Timestamp { Timestamp(seconds: Int64(seconds.load(ordering: .relaxed))) }
        func advance(_ by: Int) { seconds.wrappingAdd(by, ordering: .relaxed) }
    }

    private func lock(
        _ repository: OpenRepository, exclusive: Bool = false, settling: RepositoryLock.Settling = .overlapped,
        refreshInterval: Duration = .seconds(300), clock: Clock = Clock()
    ) throws -> RepositoryLock {
        try RepositoryLock(
            repository, exclusive: exclusive, identity: RepositoryFixture.identity, clock: { clock.now },
            settling: settling, refreshInterval: refreshInterval, cancellation: Cancellation())
    }

    private func code(_ body: () throws -> Void) -> RepositoryError.Code? {
        do {
            try body()
            return nil
        } catch { return (error as? RepositoryError)?.code }
    }

    private let record = SnapshotRecord(
        time: Timestamp(seconds: 0), tree: TreeTests.id(1), paths: ["/x"], hostname: "h")

    @Test func `under a shared lock one reads at once, and the first change waits until others were seen`() throws {
        let fixture = try MemoryFixture()
        try fixture.initialize()
        let repository = try fixture.open(loading: false)
        let held = try lock(repository)
        try repository.loadIndex(cancellation: fixture.cancellation)
        _ = try repository.save(record)
        let calls = fixture.store.calls.withLock { $0 }
        let put = try #require(calls.firstIndex { $0.kind == .put && $0.key.hasPrefix("snapshots/") })
        #expect(calls[..<put].filter { $0.kind == .list && $0.key == "locks/" }.count == 3)
        try held.release()
        #expect(fixture.keys(.lock) == [])
    }

    @Test func `who only reads need not wait for its lock to be certain`() throws {
        let fixture = try MemoryFixture()
        try fixture.initialize()
        let repository = try fixture.open(loading: false)
        try lock(repository).release()
        #expect(fixture.keys(.lock) == [])
        _ = try repository.save(record)
    }

    @Test func `a lock that turns out to be excluded lets nothing be changed`() throws {
        let fixture = try MemoryFixture()
        try fixture.initialize()
        let repository = try fixture.open(loading: false)
        let held = try lock(repository)
        // The other wrote its lock after we looked and before we look again.
        let other = LockDocument(
            time: Timestamp(seconds: 1_700_000_000), exclusive: true, hostname: "elsewhere", username: "o", pid: 1,
            uid: 0, gid: 0, bootID: nil, processStart: nil)
        let id = try repository.saveLock(other)
        #expect(code { _ = try repository.save(record) } == .locked)
        #expect(code { try repository.store.delete("data/00/" + TreeTests.id(1).hexadecimal) } == .locked)
        #expect(code { _ = try repository.snapshots(cancellation: fixture.cancellation) } == .locked)
        #expect((held.failure as? RepositoryError)?.code == .locked)
        #expect(fixture.keys(.lock) == [ObjectKind.lock.key(id)], "ours is gone already")
        #expect(fixture.keys(.snapshot) == [])
        try held.release()
        #expect(fixture.keys(.lock) == [ObjectKind.lock.key(id)])
    }

    @Test func `an exclusive lock is certain before anything is read under it`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        let began = ContinuousClock.now
        let held = try lock(repository, exclusive: true)
        #expect(ContinuousClock.now - began >= RepositoryLock.settleTime)
        let listings = fixture.store.calls.withLock { $0.filter { $0.kind == .list && $0.key == "locks/" }.count }
        #expect(listings == 2)
        try held.release()
    }

    @Test func `an index that was replaced while the lock settled is not trusted`() throws {
        let fixture = try MemoryFixture()
        try fixture.directory.write("content", to: "source/file")
        try fixture.initialize()
        try fixture.backup(fixture.directory.path("source"))
        let repository = try fixture.open(loading: false)
        let held = try lock(repository)
        try repository.loadIndex(cancellation: fixture.cancellation)
        let index = try #require(fixture.keys(.index).first)
        fixture.memory.replace(index, with: nil)
        let error = #expect(throws: RepositoryError.self) { try repository.save(record) }
        #expect(error?.code == .locked)
        #expect(error?.message.hasPrefix("Somebody else removed data from the repository") == true)
        try held.release()
    }

    @Test func `a lock that could not be refreshed in time stops whoever writes`() throws {
        let isBlocked = Flag()
        let fixture = try MemoryFixture { call in
            if call.kind == .put, call.key.hasPrefix("locks/"), isBlocked.isSet {
                throw ObjectStoreError(code: .unavailable, message: "It is out of reach.")
            }
        }
        let repository = try fixture.initialize()
        let clock = Clock()
        let held = try lock(repository, settling: .waited, refreshInterval: .milliseconds(10), clock: clock)
        _ = try repository.save(record)
        isBlocked.set()
        clock.advance(Int(RepositoryLock.lostAfterSeconds) + 1)
        let error = #expect(throws: RepositoryError.self) { try repository.save(record) }
        #expect(error?.code == .lockLost)
        #expect(
            error?.message.hasPrefix(
                "The lock on the repository could not be refreshed for 22 minutes (It is out of reach), so") == true)
        #expect(fixture.keys(.snapshot).count == 1)
        try held.release()
        #expect(fixture.keys(.lock) == [])
    }

    @Test func `after a long suspend a lock that still stands is refreshed, and one that is gone is lost`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        let clock = Clock()
        let held = try lock(repository, settling: .waited, clock: clock)
        let first = fixture.keys(.lock)
        clock.advance(40 * 60)
        _ = try repository.save(record)
        #expect(fixture.keys(.lock) != first && fixture.keys(.lock).count == 1)
        #expect(try repository.locks().first?.lock.time == clock.now)
        // Somebody unlocked while we slept.
        for key in fixture.keys(.lock) { fixture.memory.replace(key, with: nil) }
        clock.advance(40 * 60)
        let error = #expect(throws: RepositoryError.self) { try repository.save(record) }
        #expect(error?.code == .lockLost)
        #expect(error?.message.contains("40 minutes (The lock was removed by somebody else)") == true)
        try held.release()
        #expect(fixture.keys(.lock) == [])
    }

    @Test func `of two that lock at the same moment, the exclusive one sees the other`() throws {
        let fixture = try MemoryFixture()
        try fixture.initialize()
        let (first, second) = (try fixture.open(loading: false), try fixture.open(loading: false))
        // The shared lock is written while the exclusive one waits for others to show.
        let shared = Condition<RepositoryLock?>(nil)
        let store = fixture.store
        let writer = WorkerThread(name: "writer") {
            let isWritten = store.calls.wait(timeout: .seconds(30)) { calls -> Bool? in
                calls.contains { $0.kind == .put && $0.key.hasPrefix("locks/") } ? true : nil
            }
            guard isWritten == true else { return }
            let lock = try RepositoryLock(
                second, exclusive: false, identity: RepositoryFixture.identity,
                clock: { Timestamp(seconds: 1_700_000_000) }, settling: .overlapped, cancellation: Cancellation())
            shared.withLock { $0 = lock }
        }
        let result = Result { try lock(first, exclusive: true) }
        let joined = Result { try writer.join() }
        // Either may win, never both; who lost left no lock.
        let isExclusive = (try? result.get()) != nil
        let isShared = shared.withLock { $0 } != nil && (try? second.gate.pass()) != nil
        #expect(!(isExclusive && isShared))
        #expect(isExclusive || (try? joined.get()) == nil || isShared || shared.withLock { $0?.failure } != nil)
        try? (try? result.get())?.release()
        try? shared.withLock { $0 }?.release()
        #expect(fixture.keys(.lock) == [])
    }
}
