import Glibc
import Repository
import RepositoryFormat
import TestSupport
import Testing
import Threads

/// Locks are honoured both ways between us and stock restic.
@Suite struct ResticLockTests {
    private static func now() -> Timestamp { Timestamp(seconds: Int64(time(nil))) }

    private func lock(_ fixture: RepositoryFixture, exclusive: Bool, hostname: String = "test-host") throws
        -> RepositoryLock
    {
        try RepositoryLock(
            fixture.open(), exclusive: exclusive,
            identity: Identity(hostname: hostname, username: "tester", uid: 0, gid: 0), clock: Self.now,
            cancellation: fixture.cancellation)
    }

    @Test func `restic stops at our locks`() throws {
        let fixture = try RepositoryFixture("restic-lock")
        _ = try fixture.initialize()
        let exclusive = try lock(fixture, exclusive: true)
        for command in ["check", "prune", "backup /etc/hostname"] {
            let result = try fixture.run("restic \(command)")
            // 11 since restic 0.17, 1 before.
            #expect(result.status == 11 || result.status == 1, "\(command): \(result.output)")
            #expect(result.output.contains("locked"), "\(result.output)")
        }
        try exclusive.release()
        let shared = try lock(fixture, exclusive: false)
        let prune = try fixture.run("restic prune")
        #expect((prune.status == 11 || prune.status == 1) && prune.output.contains("locked"), "\(prune.output)")
        #expect(try fixture.run("restic backup -q /etc/hostname").status == 0)
        try shared.release()
        #expect(try fixture.run("restic prune -q && restic check -q").status == 0)
    }

    @Test func `we stop at restic's locks, and remove one whose process was killed`() throws {
        let fixture = try RepositoryFixture("their-lock")
        _ = try fixture.initialize()
        let scratch = try TemporaryDirectory("their-lock-pipes")
        // restic reads a pipe that nobody writes to: it holds its lock until it is killed.
        let script = """
            cd \(scratch.path); exec 3<>hold
            restic backup -q --stdin <&3 & pid=$!
            until [ -n "$(ls \(fixture.path)/locks)" ]; do kill -0 $pid; read -r -t 0.05 -u 4 4<>idle || true; done
            echo ready > ready; read -r < go
            kill -9 $pid; wait $pid || true
            """
        for pipe in ["hold", "idle", "ready", "go"] { #expect(mkfifo(scratch.path(pipe), 0o600) == 0) }
        let result = Condition<ShellScript.Result?>(nil)
        let thread = WorkerThread(name: "restic") {
            let ended = try fixture.run(script)
            result.withLock { $0 = ended }
        }
        #expect(try ShellScript("read -r < ready").run(in: scratch)?.status == 0)
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count)
        let hostname = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let error = #expect(throws: RepositoryError.self) { try lock(fixture, exclusive: true, hostname: hostname) }
        #expect(error?.code == .locked)
        try lock(fixture, exclusive: false, hostname: hostname).release()
        #expect(try ShellScript("echo > go").run(in: scratch)?.status == 0)
        try thread.join()
        #expect(result.withLock { $0?.status } == 0)

        let removed = Condition<[String]>([])
        let repository = try fixture.open()
        let left = try repository.locks()
        try RepositoryLock(
            repository, exclusive: true, identity: Identity(hostname: hostname, username: "t", uid: 0, gid: 0),
            clock: Self.now, cancellation: fixture.cancellation,
            remarks: .init(removed: { _, proof in removed.withLock { $0.append(proof) } })
        ).release()
        #expect(removed.withLock { $0 } == left.map { "no process of this machine has the id \($0.lock.pid)" })
        #expect(left.count == 1)
        #expect(try repository.locks().isEmpty)
    }
}
