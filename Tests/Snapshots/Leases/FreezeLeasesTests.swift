import Glibc
import JSON
import Pipelines
import PluginProtocol
import SnapshotModel
import Synchronization
import TestSupport
import Testing
import Threads

@Suite struct FreezeLeasesTests {
    private let directory: TemporaryDirectory
    private let files = ObservedJournalFiles()
    private let journals: RunJournalDirectory
    private let journal: RunJournal
    private let pauses = Pauses()

    /// Remembers how long somebody wanted to wait.
    final class Pauses: Sendable {
        private let list = Mutex<[Duration]>([])
        var all: [Duration] { list.withLock { $0 } }
        func add(_ duration: Duration) { list.withLock { $0.append(duration) } }
    }

    init() throws {
        directory = try TemporaryDirectory("leases")
        journals = RunJournalDirectory(
            path: directory.path("runs"), files: files, now: JournalExample.clock())
        journal = try journals.create(JournalExample.run(), header: JournalExample.header)
        files.forget()
    }

    private func policy(_ count: Int) -> ReleasePolicy {
        let pauses = pauses
        let wanted = (0..<count).map { Duration.milliseconds(100 * ($0 + 1)) }
        return ReleasePolicy(pauses: wanted) { pauses.add($0) }
    }

    private func request(_ application: String, _ plugin: String) throws -> FreezeLeases.Request {
        FreezeLeases.Request(
            application: try ApplicationName(application), plugin: Lease.Plugin(name: plugin, executable: "/\(plugin)"),
            config: ["a": 1], context: ["application": .string(application)], timeout: .seconds(30))
    }

    private func kinds() throws -> [String] { try journals.read(journal.run).entries.map(\.event.kind) }

    @Test func `the promise is on the disk before pre is sent, the state before anything is captured`() throws {
        let files = files
        let world = FrozenWorld(log: { files.note($0) })
        world.answer("backup.pre tracker/a", HookRunResult(state: "lv-1"))
        let leases = FreezeLeases(journal: journal, caller: world, policy: policy(0))
        let (lease, answer) = try leases.acquire(try request("tracker", "a"))
        #expect(answer.state == "lv-1")
        #expect(lease.pairing == "01aryz6s41tsv4rrffq69g5fav.1")
        #expect(
            files.calls == [
                "create held", "fsync directory", "write lease.intended", "fsync", "backup.pre tracker/a",
                "write lease.pre.acknowledged", "fsync",
            ])
        files.forget()
        let report = leases.release(outcome: .ok)
        #expect(report.released == [lease] && report.unconfirmed.isEmpty && report.exitCode == nil)
        #expect(files.calls == ["backup.post tracker/a", "write lease.released", "fsync", "remove held"])
        let post = try #require(world.calls.last)
        #expect(post.parameters.state == "lv-1" && post.parameters.outcome == .ok && post.parameters.attempt == 1)
        #expect(post.parameters.run == lease.pairing && post.parameters.deadlineMilliseconds == 30_000)
        #expect(post.parameters.context == ["application": "tracker"] && post.timeout == .seconds(30))
        #expect(try journals.runsThatMayHold() == [])
    }

    @Test func `posts come in the reverse order of pres, for one application or a group at a time`() throws {
        let world = FrozenWorld()
        let leases = FreezeLeases(journal: journal, caller: world, policy: policy(0))
        for (application, plugin) in [("one", "a"), ("one", "b"), ("two", "a"), ("three", "c")] {
            _ = try leases.acquire(try request(application, plugin))
        }
        #expect(leases.outstanding.map(\.id) == [4, 3, 2, 1])
        leases.release([try ApplicationName("three")], outcome: .ok)
        leases.release([try ApplicationName("one"), try ApplicationName("two")], outcome: .partial)
        #expect(
            Array(world.texts.suffix(4)) == [
                "backup.post three/c", "backup.post two/a", "backup.post one/b", "backup.post one/a",
            ])
        #expect(world.calls.suffix(3).map(\.parameters.outcome) == [.partial, .partial, .partial])
        #expect(world.frozen.isEmpty)
        #expect(leases.release(outcome: .ok).released.isEmpty)
    }

    @Test func `a failing pre is released too, because it may have held the application`() throws {
        let world = FrozenWorld()
        world.fail("backup.pre tracker/b", FrozenWorld.Failure(description: "timeout"))
        let leases = FreezeLeases(journal: journal, caller: world, policy: policy(0))
        _ = try leases.acquire(try request("tracker", "a"))
        let failure = #expect(throws: LeaseError.self) { try leases.acquire(try request("tracker", "b")) }
        #expect(failure?.code == .failed && failure?.plugin == "b")
        #expect(failure?.description == "The hook 'b' of 'tracker' failed at backup.pre: timeout")
        #expect(leases.outstanding.map(\.plugin.name) == ["b", "a"])
        leases.release(outcome: .failed)
        #expect(world.frozen.isEmpty)
        #expect(
            try kinds() == [
                "opened", "lease.intended", "lease.pre.acknowledged", "lease.intended", "lease.pre.failed",
                "lease.released", "lease.released",
            ])
    }

    @Test func `a hook that could not be started needs no release`() throws {
        let world = FrozenWorld()
        world.fail("backup.pre tracker/a", HookNotSent(cause: FrozenWorld.Failure(description: "no such file")))
        let leases = FreezeLeases(journal: journal, caller: world, policy: policy(0))
        let failure = #expect(throws: LeaseError.self) { try leases.acquire(try request("tracker", "a")) }
        #expect(failure?.code == .notSent)
        #expect(failure?.description == "The hook 'a' of 'tracker' could not be started: no such file")
        #expect(leases.outstanding.isEmpty)
        #expect(leases.release(outcome: .failed).released.isEmpty)
        #expect(world.texts == ["backup.pre tracker/a"])
        #expect(try kinds() == ["opened", "lease.intended", "lease.withdrawn"])
        #expect(try journals.runsThatMayHold() == [])
    }

    @Test(arguments: ["create", "fsync directory", "write", "fsync"])
    func `what cannot be promised is not sent`(_ call: String) throws {
        let world = FrozenWorld()
        let leases = FreezeLeases(journal: journal, caller: world, policy: policy(0))
        files.fail(call, ENOSPC)
        let failure = #expect(throws: LeaseError.self) { try leases.acquire(try request("tracker", "a")) }
        #expect(failure?.code == .notRecorded)
        #expect(world.calls.isEmpty)
        #expect(leases.outstanding.isEmpty)
    }

    @Test func `an answer that cannot be recorded keeps the lease out, and its state for the post`() throws {
        let files = files
        let world = FrozenWorld(gate: { _ in files.fail("write", ENOSPC) })
        world.answer("backup.pre tracker/a", HookRunResult(state: "lv-1"))
        let leases = FreezeLeases(journal: journal, caller: world, policy: policy(0))
        let failure = #expect(throws: LeaseError.self) { try leases.acquire(try request("tracker", "a")) }
        #expect(failure?.code == .notRecorded)
        #expect(leases.outstanding.count == 1)
        let report = leases.release(outcome: .failed)
        #expect(report.released.count == 1 && report.exitCode == nil)
        #expect((report.journalFailure as? JournalError)?.code == .noSpace)
        #expect(world.calls.last?.parameters.state == "lv-1")
        #expect(world.frozen.isEmpty)
    }

    @Test func `a failing post is tried again with back-off and keeps no other waiting`() throws {
        let world = FrozenWorld()
        let died = FrozenWorld.Failure(description: "died")
        world.fail("backup.post tracker/b", died, died)
        let leases = FreezeLeases(journal: journal, caller: world, policy: policy(3))
        for plugin in ["a", "b"] { _ = try leases.acquire(try request("tracker", plugin)) }
        let report = leases.release(outcome: .ok)
        #expect(report.exitCode == nil && report.released.map(\.plugin.name) == ["a", "b"])
        #expect(
            Array(world.texts.dropFirst(2)) == [
                "backup.post tracker/b", "backup.post tracker/a", "backup.post tracker/b", "backup.post tracker/b",
            ])
        #expect(world.calls.dropFirst(2).map(\.parameters.attempt) == [1, 1, 2, 3])
        #expect(pauses.all == [.milliseconds(100), .milliseconds(200)])
        #expect(world.frozen.isEmpty)
    }

    @Test func `a release that is never confirmed is reported, stays out, and ends the run with 21`() throws {
        let world = FrozenWorld()
        let died = FrozenWorld.Failure(description: "died")
        world.fail("backup.post tracker/a", died, died, died)
        let leases = FreezeLeases(journal: journal, caller: world, policy: policy(1))
        _ = try leases.acquire(try request("tracker", "a"))
        _ = try leases.acquire(try request("tracker", "b"))
        let report = leases.release(outcome: .ok)
        #expect(report.exitCode == .releaseNotConfirmed)
        #expect(report.released.map(\.plugin.name) == ["b"])
        #expect(
            report.unconfirmed.map(\.description) == [
                "The application 'tracker' may still be held by the hook 'a': died"
            ])
        #expect(leases.outstanding.map(\.plugin.name) == ["a"])
        #expect(try journals.runsThatMayHold() == [journal.run])
        #expect(pauses.all == [.milliseconds(100)])
        let again = leases.release(outcome: .ok)
        #expect(again.exitCode == nil && again.released.map(\.plugin.name) == ["a"])
        #expect(world.calls.last?.parameters.attempt == 4)
        #expect(try journals.runsThatMayHold() == [])
    }

    @Test func `a broken journal does not keep an application frozen`() throws {
        let world = FrozenWorld()
        let leases = FreezeLeases(journal: journal, caller: world, policy: policy(0))
        _ = try leases.acquire(try request("tracker", "a"))
        _ = try leases.acquire(try request("tracker", "b"))
        files.fail("fsync", EIO)
        let report = leases.release(outcome: .ok)
        #expect(world.frozen.isEmpty)
        #expect(report.released.count == 2 && report.exitCode == nil)
        #expect((report.journalFailure as? JournalError)?.code == .system)
    }

    @Test func `a released application is not held again by the same run`() throws {
        let world = FrozenWorld()
        let leases = FreezeLeases(journal: journal, caller: world, policy: policy(0))
        leases.release([try ApplicationName("one")], pairs: [.backup], outcome: .cancelled)
        let failure = #expect(throws: LeaseError.self) { try leases.acquire(try request("one", "a")) }
        #expect(failure?.code == .releasing)
        var restore = try request("one", "a")
        restore.pair = .restore
        #expect(try leases.acquire(restore).lease.pair == .restore)
        _ = try leases.acquire(try request("two", "a"))
        leases.release([try ApplicationName("one"), try ApplicationName("two")], pairs: [.backup], outcome: .ok)
        #expect(leases.outstanding.map(\.pair) == [.restore])
        leases.release(outcome: .ok)
        #expect(throws: LeaseError.self) { try leases.acquire(try request("three", "a")) }
        #expect(
            world.texts == [
                "restore.pre one/a", "backup.pre two/a", "backup.post two/a", "restore.post one/a",
            ])
    }

    @Test(.timeLimit(.minutes(1)))
    func `a timer that releases while a pre is running leaves nothing held`() throws {
        let isInPre = Condition(false)
        let mayAnswer = Condition(false)
        let world = FrozenWorld(gate: { call in
            guard call.text == "backup.pre tracker/b" else { return }
            isInPre.withLock { $0 = true }
            _ = mayAnswer.wait { $0 ? true : nil }
        })
        let leases = FreezeLeases(journal: journal, caller: world, policy: policy(0))
        _ = try leases.acquire(try request("tracker", "a"))
        let code = Mutex<LeaseError.Code?>(nil)
        let acquiring = WorkerThread(name: "acquire") { [self] in
            do { _ = try leases.acquire(try request("tracker", "b")) } catch let error as LeaseError {
                code.withLock { $0 = error.code }
            }
        }
        _ = isInPre.wait { $0 ? true : nil }
        let report = leases.release([try ApplicationName("tracker")], outcome: .partial)
        #expect(report.released.map(\.plugin.name) == ["a"] && report.unconfirmed.isEmpty)
        #expect(world.frozen.isEmpty)
        mayAnswer.withLock { $0 = true }
        try acquiring.join()
        #expect(code.withLock { $0 } == .releasing)
        #expect(world.frozen.isEmpty && leases.outstanding.isEmpty)
        #expect(
            world.texts == [
                "backup.pre tracker/a", "backup.post tracker/a", "backup.pre tracker/b", "backup.post tracker/b",
            ])
        #expect(world.calls.last?.parameters.outcome == .partial)
        #expect(try journals.runsThatMayHold() == [])
    }

    @Test(.timeLimit(.minutes(1)))
    func `two that release at once send each post once`() throws {
        let world = FrozenWorld()
        let leases = FreezeLeases(journal: journal, caller: world, policy: policy(0))
        for number in 0..<20 { _ = try leases.acquire(try request("tracker", "p\(number)")) }
        let threads = (0..<4).map { number in
            WorkerThread(name: "release-\(number)") { leases.release(outcome: .ok) }
        }
        for thread in threads { try thread.join() }
        #expect(world.calls.count == 40)
        #expect(world.frozen.isEmpty)
    }
}
