import Glibc
import JSON
import Pipelines
import PluginProtocol
import SnapshotModel
import TestSupport
import Testing

@Suite struct LeaseReplayTests {
    private let directory: TemporaryDirectory
    private let journals: RunJournalDirectory

    init() throws {
        directory = try TemporaryDirectory("replay")
        journals = RunJournalDirectory(path: directory.path("runs"), now: JournalExample.clock())
    }

    private let policy = ReleasePolicy(pauses: []) { _ in }

    /// A run that holds two hooks and is dropped as a killed process drops it.
    private func abandonedRun(_ last: String, _ world: FrozenWorld, pair: Lease.Pair = .backup) throws -> RunID {
        let journal = try journals.create(JournalExample.run(last), header: JournalExample.header)
        let leases = FreezeLeases(journal: journal, caller: world, policy: policy)
        for plugin in ["a", "b"] {
            world.answer("\(pair.pre) tracker/\(plugin)", HookRunResult(state: "state-\(plugin)"))
            _ = try leases.acquire(
                FreezeLeases.Request(
                    application: ApplicationName("tracker"), pair: pair,
                    plugin: Lease.Plugin(name: plugin, executable: "/\(plugin)", arguments: ["-x"]),
                    config: ["secret": ["secret": ["file": "/k"]]], context: ["job": "nightly"], timeout: .seconds(9)))
        }
        return journal.run
    }

    @Test func `the next start releases what a dead process held, in reverse, with everything the post needs`() throws {
        let world = FrozenWorld()
        let run = try abandonedRun("1", world)
        #expect(world.frozen.count == 2)
        #expect(try journals.runsThatMayHold() == [run])
        let report = try LeaseReplay(journals: journals, caller: world, policy: policy).run()
        #expect(report.runs.map(\.run) == [run])
        #expect(report.exitCode == nil && !report.isEmpty)
        #expect(world.frozen.isEmpty)
        let posts = Array(world.calls.suffix(2))
        #expect(posts.map(\.text) == ["backup.post tracker/b", "backup.post tracker/a"])
        #expect(posts.map(\.parameters.outcome) == [.unknown, .unknown])
        #expect(posts.map(\.parameters.state) == ["state-b", "state-a"])
        #expect(posts.map(\.parameters.run) == ["\(run).2", "\(run).1"])
        #expect(posts.map(\.parameters.context) == [["job": "nightly"], ["job": "nightly"]])
        #expect(posts.map(\.lease.config) == Array(repeating: ["secret": ["secret": ["file": "/k"]]], count: 2))
        #expect(posts[0].lease.plugin == Lease.Plugin(name: "b", executable: "/b", arguments: ["-x"]))
        #expect(posts[0].timeout == .seconds(9))
        #expect(try journals.runsThatMayHold() == [])
        let entries = try journals.read(run).entries
        #expect(
            entries.suffix(2).map(\.event) == [
                .leaseReleased(lease: 2, attempt: 1, outcome: "unknown"),
                .leaseReleased(lease: 1, attempt: 1, outcome: "unknown"),
            ])
        #expect(entries.map(\.sequence) == Array(1...Int64(entries.count)))
        #expect(try LeaseReplay(journals: journals, caller: world, policy: policy).run(everyJournal: true).isEmpty)
    }

    @Test func `a living run is left alone`() throws {
        let world = FrozenWorld()
        let journal = try journals.create(JournalExample.run("1"), header: JournalExample.header)
        let leases = FreezeLeases(journal: journal, caller: world, policy: policy)
        _ = try leases.acquire(
            FreezeLeases.Request(
                application: ApplicationName("tracker"), plugin: Lease.Plugin(name: "a", executable: "/a"), config: [:],
                context: [:], timeout: .seconds(1)))
        let report = try LeaseReplay(journals: journals, caller: world, policy: policy).run()
        #expect(report.living == [journal.run] && report.runs.isEmpty && report.isEmpty)
        #expect(world.frozen.count == 1)
        leases.release(outcome: .ok)
    }

    @Test func `what cannot be released is tried by every start until it can`() throws {
        let world = FrozenWorld()
        let run = try abandonedRun("1", world)
        let gone = FrozenWorld.Failure(description: "gone")
        world.fail("backup.post tracker/a", gone, HookNotSent(cause: gone))
        for attempt in 1...2 as ClosedRange<Int64> {
            let report = try LeaseReplay(journals: journals, caller: world, policy: policy).run()
            #expect(report.exitCode == .releaseNotConfirmed)
            #expect(report.runs.first?.report.unconfirmed.map(\.reason) == ["gone"])
            #expect(
                try journals.read(run).entries.last?.event
                    == .leaseReleaseFailed(lease: 1, attempt: attempt, message: "gone"))
            #expect(try journals.runsThatMayHold() == [run])
        }
        let report = try LeaseReplay(journals: journals, caller: world, policy: policy).run()
        #expect(report.exitCode == nil)
        #expect(world.frozen.isEmpty)
        #expect(world.calls.last?.parameters.attempt == 3)
        #expect(world.texts.filter { $0 == "backup.post tracker/b" }.count == 1)
    }

    @Test func `restores are released only when asked for`() throws {
        let world = FrozenWorld()
        let run = try abandonedRun("1", world, pair: .restore)
        let replay = LeaseReplay(journals: journals, caller: world, policy: policy)
        #expect(try replay.run().isEmpty)
        #expect(world.frozen.count == 2)
        #expect(try journals.runsThatMayHold() == [run])
        #expect(try replay.run(pairs: [.restore]).exitCode == nil)
        #expect(world.frozen.isEmpty)
        #expect(try journals.runsThatMayHold() == [])
    }

    @Test func `a journal that has lost its mark is found by the thorough search only`() throws {
        let world = FrozenWorld()
        let run = try abandonedRun("1", world)
        #expect(unlink(directory.path("runs/\(run).held")) == 0)
        let replay = LeaseReplay(journals: journals, caller: world, policy: policy)
        #expect(try replay.run().isEmpty)
        #expect(try replay.run(everyJournal: true).runs.count == 1)
        #expect(world.frozen.isEmpty)
    }

    @Test func `one journal that cannot be read does not keep the others from being released`() throws {
        let world = FrozenWorld()
        let first = try abandonedRun("1", world)
        let second = try abandonedRun("2", world)
        let stray = try JournalExample.run("3")
        try directory.write("", to: "runs/\(stray).held")
        #expect(unlink(directory.path("runs/\(first).jsonl")) == 0)
        #expect(symlink("/dev/null", directory.path("runs/\(first).jsonl")) == 0)
        let report = try LeaseReplay(journals: journals, caller: world, policy: policy).run()
        #expect(report.failures.map(\.run) == [first])
        #expect(report.runs.map(\.run) == [second])
        #expect(report.exitCode == .releaseNotConfirmed)
    }
}
