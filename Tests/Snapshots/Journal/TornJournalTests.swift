import Glibc
import Pipelines
import SnapshotModel
import TestSupport
import Testing

/// A journal that was cut by kill -9 or a power failure, at every byte.
@Suite struct TornJournalTests {
    private let directory: TemporaryDirectory
    private let journals: RunJournalDirectory

    init() throws {
        directory = try TemporaryDirectory("torn")
        journals = RunJournalDirectory(path: directory.path("runs"), now: JournalExample.clock())
    }

    /// The bytes of a journal with the given events after its header.
    private func bytes(of events: [RunEvent]) throws -> [UInt8] {
        let journal = try journals.create(JournalExample.run(), header: JournalExample.header)
        for event in events { try journal.append(event) }
        journal.close()
        return try directory.read("runs/\(journal.run).jsonl")
    }

    private let name = "runs/01aryz6s41tsv4rrffq69g5fav.jsonl"

    @Test func `at every byte the complete lines are read and the rest is counted`() throws {
        let whole = try bytes(of: JournalExample.events())
        let entries = try journals.read(JournalExample.run()).entries
        let newline = UInt8(ascii: "\n")
        for cut in 0...whole.count {
            try directory.write(Array(whole[..<cut]), to: name)
            let contents = try journals.read(JournalExample.run())
            let complete = whole[..<cut].filter { $0 == newline }.count
            #expect(contents.entries == Array(entries.prefix(complete)))
            let lastEnd = whole[..<cut].lastIndex(of: newline).map { $0 + 1 } ?? 0
            #expect(contents.tornByteCount == Int64(cut - lastEnd))
            #expect(contents.damagedLines == [])
        }
    }

    @Test func `at every byte the journal is taken over and goes on cleanly`() throws {
        let whole = try bytes(of: Array(JournalExample.events().suffix(3)))
        let entries = try journals.read(JournalExample.run()).entries
        for cut in 0...whole.count {
            try directory.write(Array(whole[..<cut]), to: name)
            let complete = whole[..<cut].filter { $0 == UInt8(ascii: "\n") }.count
            let (journal, contents) = try #require(try journals.adopt(JournalExample.run()))
            #expect(contents.entries == Array(entries.prefix(complete)))
            let added = try journal.append(.phase(.failed, application: nil), durable: true)
            #expect(added.sequence == Int64(complete + 1))
            journal.close()
            let after = try journals.read(JournalExample.run())
            #expect(after.entries == Array(entries.prefix(complete)) + [added])
            #expect(after.tornByteCount == 0 && after.damagedLines == [])
        }
    }

    @Test func `a tail of NUL bytes, as some file systems leave it, is a torn line`() throws {
        let whole = try bytes(of: [.phase(.planning, application: nil)])
        try directory.write(whole + [UInt8](repeating: 0, count: 4096), to: name)
        let contents = try journals.read(JournalExample.run())
        #expect(contents.entries.count == 2)
        #expect(contents.tornByteCount == 4096)
        let (journal, _) = try #require(try journals.adopt(JournalExample.run()))
        try journal.append(.phase(.failed, application: nil))
        #expect(try journals.read(JournalExample.run()).entries.map(\.sequence) == [1, 2, 3])
    }

    @Test func `a damaged line in the middle is named and the others are read`() throws {
        var whole = try bytes(of: JournalExample.events())
        let count = try journals.read(JournalExample.run()).entries.count
        let second = try #require(whole.firstIndex(of: UInt8(ascii: "\n"))) + 5
        whole[second] = 0xFF
        try directory.write(whole, to: name)
        let contents = try journals.read(JournalExample.run())
        #expect(contents.damagedLines == [2])
        #expect(contents.entries.map(\.sequence) == [1] + Array(3...Int64(count)))
        let (journal, _) = try #require(try journals.adopt(JournalExample.run()))
        #expect(try journal.append(.phase(.failed, application: nil)).sequence == Int64(count + 1))
    }

    @Test func `a reader that comes back gets what was added, once, and waits for whole lines`() throws {
        let whole = try bytes(of: JournalExample.events())
        let entries = try journals.read(JournalExample.run()).entries
        try directory.write([], to: name)
        var reader = JournalReader(path: journals.journalPath(try JournalExample.run()))
        var seen: [JournalEntry] = []
        for cut in stride(from: 0, through: whole.count, by: 37).map({ $0 }) + [whole.count] {
            try directory.write(Array(whole[..<cut]), to: name)
            seen += try reader.readNew().entries
        }
        #expect(seen == entries)
        #expect(try reader.readNew().entries == [])
    }
}
