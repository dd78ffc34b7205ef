import CLinux
import Glibc
import Repository
package import SnapshotModel

/// The directory with the journals of all runs of this host: `ID.jsonl`, and `ID.held` while leases may be out.
package struct RunJournalDirectory: Sendable {
    /// The absolute path.
    package let path: String
    private let files: any JournalFiles
    private let now: @Sendable () -> Moment

    /// The journals below `path`, which need not exist yet.
    package init(
        path: String, files: any JournalFiles = SystemJournalFiles(), now: @escaping @Sendable () -> Moment = Moment.now
    ) {
        self.path = path
        self.files = files
        self.now = now
    }

    /// Where the journal of a run stands.
    package func journalPath(_ run: RunID) -> String { "\(path)/\(run).jsonl" }

    static func heldPath(ofJournal path: String) -> String { path.dropLast("jsonl".count) + "held" }

    static func directory(ofJournal path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    /// Begins the journal of a new run: made under another name, locked, its header durable, and only then given its
    /// name, so that every journal that others see has a header and had a living owner.
    ///
    /// - Parameters:
    ///   - header: its owner is set to this process.
    ///   - observer: called for each event right after it was written, on the thread that wrote it.
    /// - Throws: ``JournalError``; also when the run has a journal already.
    package func create(
        _ run: RunID, header: JournalHeader, observer: (@Sendable (JournalEntry) -> Void)? = nil
    ) throws -> RunJournal {
        if mkdir(path, 0o700) == 0 {
            try files.synchronizeDirectory(Self.directory(ofJournal: path))
        } else if errno != EEXIST {
            throw JournalError.system("make", path, number: errno)
        }
        let temporary = "\(path)/.\(run).new"
        let descriptor = try files.create(temporary)
        let journal = RunJournal(
            run: run, path: journalPath(run), descriptor: descriptor, nextSequence: 1, byteCount: 0, files: files,
            now: now, observer: observer)
        do {
            guard try files.lock(descriptor, temporary) else {
                throw JournalError.system("lock", temporary, number: EWOULDBLOCK)
            }
            var header = header
            header.owner = ProcessIdentity.current().map {
                JournalHeader.Owner(pid: $0.pid, start: $0.start, bootID: $0.bootID)
            }
            try journal.append(.opened(header), durable: true)
            try files.rename(temporary, to: journal.path)
            try files.synchronizeDirectory(path)
        } catch {
            // The first failure is the one to report; what is left is a dot file that nobody reads.
            try? files.remove(temporary)
            journal.close()
            throw error
        }
        return journal
    }

    /// Takes over the journal of a run whose owner is gone: takes its lock, cuts a torn last line off, and goes on after
    /// the last sequence number.
    ///
    /// - Returns: the journal and what stands in it; nil when its owner lives.
    /// - Throws: ``JournalError``; `notFound` when there is no journal of that run.
    package func adopt(_ run: RunID) throws -> (journal: RunJournal, contents: JournalContents)? {
        let path = journalPath(run)
        let descriptor = try files.open(path)
        do {
            guard try lockPatiently(descriptor, path) else {
                files.close(descriptor)
                return nil
            }
            var reader = JournalReader(path: path)
            let contents = try reader.readNew(from: 1, descriptor: descriptor)
            if contents.tornByteCount > 0 {
                try files.truncate(descriptor, to: contents.completeByteCount, path)
            }
            let last = contents.entries.map(\.sequence).max() ?? 0
            let journal = RunJournal(
                run: run, path: path, descriptor: descriptor, nextSequence: last + 1,
                byteCount: contents.completeByteCount, files: files, now: now, observer: nil)
            return (journal, contents)
        } catch {
            files.close(descriptor)
            throw error
        }
    }

    /// Somebody who only looks whether the owner lives holds a shared lock for a moment: see `isAlive`.
    private func lockPatiently(_ descriptor: Int32, _ path: String) throws -> Bool {
        for _ in 0..<5 {
            if try files.lock(descriptor, path) { return true }
            poll(nil, 0, 10)
        }
        return false
    }

    /// Reads the journal of a run, alive or not.
    ///
    /// - Parameter first: the first sequence number that is wanted.
    /// - Throws: ``JournalError``; `notFound` when there is no journal of that run.
    package func read(_ run: RunID, from first: Int64 = 1) throws -> JournalContents {
        var reader = JournalReader(path: journalPath(run))
        return try reader.readNew(from: first)
    }
}
