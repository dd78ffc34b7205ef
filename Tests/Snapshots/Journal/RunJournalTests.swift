import CLinux
import Foundation
import Glibc
import Pipelines
import SnapshotModel
import Synchronization
import TestSupport
import Testing
import Threads

@Suite struct RunJournalTests {
    private let directory: TemporaryDirectory
    private let files = ObservedJournalFiles()
    private let journals: RunJournalDirectory

    init() throws {
        directory = try TemporaryDirectory("journal")
        journals = RunJournalDirectory(
            path: directory.path("runs"), files: files, now: JournalExample.clock())
    }

    private func create(_ last: String = "v") throws -> RunJournal {
        try journals.create(try JournalExample.run(last), header: JournalExample.header)
    }

    private func mode(_ name: String) -> UInt32 {
        var status = clinux_stat()
        guard clinux_lstatat(AT_FDCWD, directory.path(name), &status) == 0 else { return 0 }
        return status.mode & 0o777
    }

    @Test func `a journal has its name only when its header is locked and durable`() throws {
        let journal = try create()
        #expect(
            files.calls == [
                "fsync directory", "create new", "lock", "write opened", "fsync", "rename jsonl", "fsync directory",
            ])
        #expect(try directory.names() == ["runs"])
        #expect(mode("runs") == 0o700)
        #expect(mode("runs/\(journal.run).jsonl") == 0o600)
        let header = try #require(try journals.summary(of: journal.run).header)
        #expect(header.kind == .fullSnapshot)
        #expect(header.owner?.pid == Int64(getpid()))
    }

    @Test func `a promise is written before it is made durable, and durable before it returns`() throws {
        let journal = try create()
        files.forget()
        try journal.append(.phase(.planning, application: nil))
        try journal.append(.leaseIntended(JournalExample.lease()), durable: true)
        #expect(files.calls == ["write phase", "write lease.intended", "fsync"])
    }

    @Test func `entries are numbered from one and read back`() throws {
        let journal = try create()
        let events = try JournalExample.events()
        let written = try events.map { try journal.append($0) }
        #expect(written.map(\.sequence) == Array(2...Int64(events.count + 1)))
        let contents = try journals.read(journal.run)
        #expect(Array(contents.entries.dropFirst()) == written)
        #expect(contents.damagedLines == [] && contents.tornByteCount == 0)
        #expect(try journals.read(journal.run, from: 7).entries == Array(written.dropFirst(5)))
    }

    @Test func `a second journal of the same run is refused and leaves the first alone`() throws {
        let journal = try create()
        let failure = #expect(throws: JournalError.self) { try create() }
        #expect(failure?.code == .system)
        #expect(try journals.runs() == [journal.run])
        try journal.append(.phase(.planning, application: nil))
        #expect(try journals.read(journal.run).entries.count == 2)
    }

    @Test(arguments: ["create", "lock", "write", "fsync", "rename", "fsync directory"])
    func `a journal that cannot be made is an error and leaves no name`(_ call: String) throws {
        try create("0").close()
        files.fail(call, EIO)
        #expect(throws: JournalError.self) { try create("1") }
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path("runs"))
        let isNamed = call == "fsync directory"
        #expect(names.count == (isNamed ? 2 : 1))
        #expect(try journals.runs().count == (isNamed ? 2 : 1))
    }

    @Test func `the observer sees each entry once it is written`() throws {
        let seen = Mutex<[Int64]>([])
        let journal = try journals.create(JournalExample.run(), header: JournalExample.header) { entry in
            seen.withLock { $0.append(entry.sequence) }
        }
        try journal.append(.phase(.planning, application: nil))
        files.fail("write", ENOSPC)
        #expect(throws: JournalError.self) { try journal.append(.phase(.storing, application: nil)) }
        #expect(seen.withLock { $0 } == [1, 2])
    }

    @Test func `a full disk refuses the event, keeps the journal whole, and is forgiven`() throws {
        let journal = try create()
        files.fail("write", ENOSPC)
        let full = #expect(throws: JournalError.self) { try journal.append(.phase(.planning, application: nil)) }
        #expect(full?.code == .noSpace)
        files.shortenNextWrite(to: 10)
        let short = #expect(throws: JournalError.self) { try journal.append(.phase(.planning, application: nil)) }
        #expect(short?.code == .noSpace)
        let entry = try journal.append(.phase(.storing, application: nil), durable: true)
        #expect(entry.sequence == 2)
        let contents = try journals.read(journal.run)
        #expect(contents.entries.map(\.sequence) == [1, 2])
        #expect(contents.damagedLines == [] && contents.tornByteCount == 0)
    }

    @Test func `after a failed fsync no promise is taken any more`() throws {
        let journal = try create()
        files.fail("fsync", EIO)
        let first = #expect(throws: JournalError.self) {
            try journal.append(.phase(.planning, application: nil), durable: true)
        }
        #expect(first?.code == .system)
        let second = #expect(throws: JournalError.self) {
            try journal.append(.phase(.planning, application: nil), durable: true)
        }
        #expect(second?.code == .broken)
    }

    @Test func `a torn line that cannot be cut off breaks the journal`() throws {
        let journal = try create()
        files.shortenNextWrite(to: 10)
        files.fail("truncate", EIO)
        #expect(throws: JournalError.self) { try journal.append(.phase(.planning, application: nil)) }
        let failure = #expect(throws: JournalError.self) { try journal.append(.phase(.planning, application: nil)) }
        #expect(failure?.code == .broken)
        #expect(try journals.read(journal.run).entries.map(\.sequence) == [1])
        #expect(try journals.read(journal.run).tornByteCount == 10)
    }

    @Test func `events that are too long and events after the end are refused`() throws {
        let journal = try create()
        let failure = #expect(throws: JournalError.self) {
            try journal.append(.error(message: String(repeating: "x", count: 1 << 20), application: nil))
        }
        #expect(failure?.code == .tooLarge)
        journal.close()
        journal.close()
        let closed = #expect(throws: JournalError.self) { try journal.append(.phase(.planning, application: nil)) }
        #expect(closed?.code == .closed)
    }

    @Test func `many threads write whole lines in the order of their numbers`() throws {
        let journal = try create()
        let threads = (0..<8).map { number in
            WorkerThread(name: "writer-\(number)") {
                for index in 0..<100 {
                    try journal.append(
                        .error(message: "\(number)-\(index)", application: nil), durable: index % 50 == 0)
                }
            }
        }
        for thread in threads { try thread.join() }
        let contents = try journals.read(journal.run)
        #expect(contents.entries.map(\.sequence) == Array(1...801))
        #expect(Set(contents.entries.map(\.event)).count == 801)
    }
}
