import Glibc
import Pipelines
import SnapshotModel
import TestSupport
import Testing

@Suite struct RunJournalDirectoryTests {
    private let directory: TemporaryDirectory
    private let journals: RunJournalDirectory

    init() throws {
        directory = try TemporaryDirectory("journals")
        journals = RunJournalDirectory(path: directory.path("runs"), now: JournalExample.clock())
    }

    private func create(_ last: String) throws -> RunJournal {
        try journals.create(try JournalExample.run(last), header: JournalExample.header)
    }

    @Test func `without a directory there are no runs`() throws {
        #expect(try journals.runs() == [])
        #expect(try journals.unfinished() == [])
        #expect(try journals.runsThatMayHold() == [])
        let failure = #expect(throws: JournalError.self) { try journals.read(JournalExample.run()) }
        #expect(failure?.code == .notFound)
        let missing = #expect(throws: JournalError.self) { try journals.adopt(JournalExample.run()) }
        #expect(missing?.code == .notFound)
    }

    @Test func `runs are listed in the order of time, other files are not`() throws {
        for last in ["3", "1", "2"] { try create(last).close() }
        try directory.write("x", to: "runs/notes.txt")
        try directory.write("x", to: "runs/UPPER.jsonl")
        try directory.write("x", to: "runs/.01aryz6s41tsv4rrffq69g5fav.new")
        #expect(try journals.runs() == ["1", "2", "3"].map(JournalExample.run))
    }

    @Test func `living, killed and finished runs are told apart`() throws {
        let living = try create("1")
        try living.append(.phase(.capturing, application: nil))
        let killed = try create("2")
        try killed.append(.phase(.quiescing, application: nil))
        killed.close()
        let finished = try create("3")
        try finished.append(.finished(.completed, exitCode: .done, message: nil))
        try finished.append(.leaseReleased(lease: 1, attempt: 4, outcome: "unknown"))
        finished.close()
        let unfinished = try journals.unfinished()
        #expect(unfinished.map(\.run) == [living.run, killed.run])
        #expect(unfinished.map(\.isOwnerAlive) == [true, false])
        #expect(unfinished.map(\.isAbandoned) == [false, true])
        #expect(
            unfinished.map(\.last?.event) == [
                .phase(.capturing, application: nil), .phase(.quiescing, application: nil),
            ])
        let summary = try journals.summary(of: finished.run)
        #expect(summary.result == .completed)
        #expect(summary.last?.event == .leaseReleased(lease: 1, attempt: 4, outcome: "unknown"))
        #expect(summary.opened != nil && !summary.isAbandoned)
    }

    @Test func `the end of a long journal is found, also behind a very long line`() throws {
        let journal = try create("1")
        for _ in 0..<300 { try journal.append(.error(message: String(repeating: "y", count: 1000), application: nil)) }
        try journal.append(.error(message: String(repeating: "x", count: 400_000), application: nil))
        let last = try journal.append(.phase(.storing, application: nil))
        #expect(try journals.summary(of: journal.run).last == last)
        let longest = try journal.append(.error(message: String(repeating: "x", count: 900_000), application: nil))
        #expect(try journals.summary(of: journal.run).last == longest)
        journal.close()
        let path = journals.journalPath(journal.run)
        #expect(truncate(path, 40) == 0)
        let summary = try journals.summary(of: journal.run)
        #expect(summary.last == nil && summary.header == nil && summary.result == nil)
    }

    @Test func `a journal whose owner lives is not taken over, one whose owner is gone is`() throws {
        let owner = try create("1")
        #expect(try journals.adopt(owner.run) == nil)
        owner.close()
        let adopted = try #require(try journals.adopt(owner.run))
        #expect(try journals.adopt(owner.run) == nil)
        #expect(try journals.summary(of: owner.run).isOwnerAlive)
        #expect(adopted.contents.entries.count == 1)
        adopted.journal.close()
        #expect(try !journals.summary(of: owner.run).isOwnerAlive)
    }

    @Test func `a writer that is dropped without closing gives its lock up`() throws {
        let run = try create("1").run
        #expect(try journals.adopt(run) != nil)
    }

    @Test(.enabled(if: ShellScript.isInstalled("flock", "bash")))
    func `the lock is one that other processes see`() throws {
        let journal = try create("1")
        let probe = ShellScript("flock --nonblock runs/\(journal.run).jsonl true && echo free || echo held")
        #expect(try probe.run(in: directory)?.output == "held\n")
        journal.close()
        #expect(try probe.run(in: directory)?.output == "free\n")
    }
}
