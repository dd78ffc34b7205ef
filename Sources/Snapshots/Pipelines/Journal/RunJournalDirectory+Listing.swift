import CLinux
import Glibc
import Repository
package import SnapshotModel

/// The beginning and the end of a journal, without what is in between.
package struct JournalSummary: Sendable, Hashable {
    /// The run.
    package let run: RunID
    /// When it began; nil when the first line is damaged.
    package let opened: Moment?
    /// The first event; nil when the first line is damaged.
    package let header: JournalHeader?
    /// The last line that can be read.
    package let last: JournalEntry?
    /// The result; nil while the run goes on, and when it was killed.
    package let result: RunState?
    /// Whether somebody has the journal open for writing.
    package let isOwnerAlive: Bool

    /// True for a run that was killed.
    package var isAbandoned: Bool { result == nil && !isOwnerAlive }
}

extension RunJournalDirectory {
    /// All runs that have a journal, oldest first; none when the directory does not exist.
    ///
    /// - Throws: ``JournalError`` when the directory cannot be read.
    package func runs() throws -> [RunID] { try runs(suffix: ".jsonl") }

    /// The runs of which leases may be out, oldest first.
    ///
    /// - Throws: ``JournalError`` when the directory cannot be read.
    package func runsThatMayHold() throws -> [RunID] { try runs(suffix: ".held") }

    private func runs(suffix: String) throws -> [RunID] {
        guard let directory = opendir(path) else {
            if errno == ENOENT { return [] }
            throw JournalError.system("list", path, number: errno)
        }
        defer { closedir(directory) }
        var runs: [RunID] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            // Names that are no ids belong to somebody else.
            if name.hasSuffix(suffix), let run = try? RunID(String(name.dropLast(suffix.count))) { runs.append(run) }
        }
        return runs.sorted()
    }

    /// The runs that have not finished: those that go on, and those that were killed, oldest first.
    ///
    /// - Throws: ``JournalError``. A journal that vanishes meanwhile is left out.
    package func unfinished() throws -> [JournalSummary] {
        try runs().compactMap { run in
            do {
                let summary = try summary(of: run)
                return summary.result == nil ? summary : nil
            } catch let error as JournalError where error.code == .notFound {
                return nil
            }
        }
    }

    /// The beginning and the end of a journal; reads a few kilobytes, however long it is.
    ///
    /// - Throws: ``JournalError``; `notFound` when there is no journal of that run.
    package func summary(of run: RunID) throws -> JournalSummary {
        let path = journalPath(run)
        let descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC | CLINUX_O_NOFOLLOW, 0)
        guard descriptor >= 0 else { throw JournalError.system("open", path, number: errno) }
        defer { close(descriptor) }
        var status = clinux_stat()
        guard clinux_fstat(descriptor, &status) == 0 else { throw JournalError.system("read", path, number: errno) }
        let size = Int64(clamping: status.size)
        let first = try lines(descriptor, path, 0..<min(size, 1 << 16)).first.flatMap(entry)
        let tail = try last(descriptor, path, size)
        var header: JournalHeader?
        if case .opened(let value) = first?.event { header = value }
        return JournalSummary(
            run: run, opened: header.flatMap { _ in first?.time }, header: header, last: tail.last, result: tail.result,
            isOwnerAlive: isAlive(descriptor, header))
    }

    /// Looks back from the end in growing steps until a line can be read. Only releases and warnings about them can stand
    /// after `finished`, so the result is looked for in the same bytes.
    private func last(
        _ descriptor: Int32, _ path: String, _ size: Int64
    ) throws -> (last: JournalEntry?, result: RunState?) {
        var length: Int64 = 1 << 16
        while true {
            let start = max(0, size - length)
            var lines = try lines(descriptor, path, start..<size)
            if start > 0, !lines.isEmpty { lines.removeFirst() }
            let entries = lines.compactMap(entry)
            if !entries.isEmpty || start == 0 {
                let results = entries.lazy.compactMap { entry -> RunState? in
                    if case .finished(let state, _, _) = entry.event { state } else { nil }
                }
                return (entries.last, results.first)
            }
            length *= 8
        }
    }

    /// The complete lines in a range of the file; the first may lack its beginning.
    private func lines(_ descriptor: Int32, _ path: String, _ range: Range<Int64>) throws -> [ArraySlice<UInt8>] {
        var bytes = [UInt8](repeating: 0, count: Int(range.upperBound - range.lowerBound))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                pread(
                    descriptor, $0.baseAddress.map { $0 + filled }, $0.count - filled, off_t(range.lowerBound) + filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw JournalError.system("read", path, number: errno) }
            if count == 0 { break }
            filled += count
        }
        let end = bytes[..<filled].lastIndex(of: UInt8(ascii: "\n")) ?? 0
        return bytes[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    }

    private func entry(_ line: ArraySlice<UInt8>) -> JournalEntry? { line.withUnsafeBytes { JournalEntry(line: $0) } }

    /// A writer holds the exclusive lock, so that a shared one is refused while it lives. Where the file system has no
    /// flock(2), the process in the header is looked for.
    private func isAlive(_ descriptor: Int32, _ header: JournalHeader?) -> Bool {
        if flock(descriptor, LOCK_SH | LOCK_NB) == 0 {
            flock(descriptor, LOCK_UN)
            return false
        }
        if errno == EWOULDBLOCK { return true }
        guard let owner = header?.owner else { return false }
        guard let process = ProcessIdentity.of(pid: owner.pid) else { return false }
        return process.start == owner.start && process.bootID == owner.bootID
    }
}
