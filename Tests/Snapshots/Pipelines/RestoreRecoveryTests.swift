import Glibc
import PluginProtocol
import SnapshotModel
import TestSupport
import Testing

@testable import Pipelines

@Suite struct RestoreRecoveryTests {
    /// No lease is out in these tests.
    private struct NoHooks: LeaseHookCaller {
        func call(_ lease: Lease, _ parameters: HookRunParameters, timeout: Duration) throws -> HookRunResult {
            HookRunResult()
        }
    }

    private let directory: TemporaryDirectory
    private let run = try? RunID("01m828bm90yj1f7mf4p0x5y7dt")
    private let application = try? ApplicationName("app")
    private var journals: RunJournalDirectory { RunJournalDirectory(path: directory.path("runs")) }

    init() throws { directory = try TemporaryDirectory("recovery") }

    /// What a process leaves that is killed after the exchange of `d`, "old" and then "new".
    private func kill(afterwards: (RunJournal, StagedEntry, ApplicationName) throws -> Void = { _, _, _ in }) throws {
        let (run, application) = (try #require(run), try #require(application))
        let journal = try journals.create(
            run, header: JournalHeader(kind: .restore, trigger: .manual, programVersion: "0.0-test", owner: nil))
        try directory.write("old", to: "d/f")
        let entry = try StagedEntry(
            target: directory.path("d"), isDirectory: true, application: application, run: run, number: 0)
        try journal.append(.restoreStaged(entry.record))
        try entry.prepare()
        try directory.write("new", to: String(entry.stage.dropFirst(directory.path.count + 1)) + "/f")
        try entry.complete()
        try journal.append(.restoreSwapping(entry.record))
        try entry.swap()
        try afterwards(journal, entry, application)
        journal.close()
    }

    private func recover() throws -> RestoreRecovery.Report? {
        try RestoreRecovery(journals: journals, caller: NoHooks()).run(try #require(run))
    }

    private var text: String { get throws { String(decoding: try directory.read("d/f"), as: UTF8.self) } }

    @Test func `a restore that was killed before everything was in place is undone, once`() throws {
        try kill()
        #expect(try text == "new")
        let report = try #require(try recover())
        #expect(report.rolledBack == [try #require(application)] && report.finished == [] && report.problems == [])
        #expect(try text == "old")
        #expect(try directory.names() == ["d", "runs"])
        let again = try #require(try recover())
        #expect(again.rolledBack == [] && again.problems == [])
        #expect(try text == "old")
    }

    @Test func `a restore that was killed when everything was in place is finished`() throws {
        try kill { journal, _, application in try journal.append(.restoreKept(application)) }
        let report = try #require(try recover())
        #expect(report.finished == [try #require(application)] && report.rolledBack == [])
        #expect(try text == "new")
        #expect(try directory.names() == ["d", "runs"])
    }

    @Test func `what a restore has kept on purpose is left alone`() throws {
        try kill { journal, _, _ in
            try journal.append(.finished(.partiallyFailed, exitCode: .releaseNotConfirmed, message: nil))
        }
        let report = try #require(try recover())
        #expect(report.rolledBack == [] && report.finished == [] && report.problems == [])
        #expect(try text == "new")
        #expect(try directory.names().count == 3)
    }

    @Test func `a restore that goes on is left alone`() throws {
        try kill { _, _, _ in
            let isLeftAlone = try recover() == nil
            #expect(isLeftAlone)
        }
    }

    @Test func `old data that cannot be put back is named and kept`() throws {
        var old = ""
        try kill { _, entry, _ in
            old = entry.stage
            // Neither an exchange nor a rename can pass.
            #expect(rename(entry.stage, directory.path("elsewhere")) == 0)
        }
        let report = try #require(try recover())
        #expect(report.rolledBack == [] && report.problems.count == 1)
        #expect(report.problems.first?.contains(old) == true)
        #expect(try text == "new")
    }
}
