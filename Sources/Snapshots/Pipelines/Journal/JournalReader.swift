import CLinux
import Glibc

/// What was read of a journal.
package struct JournalContents: Sendable, Hashable {
    /// All entries that could be read, in order.
    package var entries: [JournalEntry] = []
    /// The numbers, from 1, of complete lines that could not be read.
    package var damagedLines: [Int] = []
    /// The bytes after the last complete line: a line that its writer has not finished, or that was cut by a crash. It
    /// was never reported as written, so nothing is lost with it.
    package var tornByteCount: Int64 = 0

    /// The offset of the first torn byte.
    var completeByteCount: Int64 = 0
}

/// Reads a journal from its beginning to its end, and on when it has grown.
///
/// Holds no file open in between. Not for use by several threads at once.
package struct JournalReader {
    private let path: String
    private var offset: Int64 = 0
    private var lineNumber = 0

    /// A reader at the beginning of the journal at `path`.
    package init(path: String) { self.path = path }

    /// The entries that were added since the last call, from sequence number `first` on.
    ///
    /// - Throws: ``JournalError`` when the file cannot be read; `notFound` when there is none. Damaged and torn lines are
    ///   not errors.
    package mutating func readNew(from first: Int64 = 1) throws -> JournalContents {
        let descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC | CLINUX_O_NOFOLLOW, 0)
        guard descriptor >= 0 else { throw JournalError.system("open", path, number: errno) }
        defer { close(descriptor) }
        return try readNew(from: first, descriptor: descriptor)
    }

    mutating func readNew(from first: Int64, descriptor: Int32) throws -> JournalContents {
        var contents = JournalContents()
        var pending: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        var position = offset
        while true {
            let count = pread(descriptor, &chunk, chunk.count, off_t(position))
            if count < 0 {
                if errno == EINTR { continue }
                throw JournalError.system("read", path, number: errno)
            }
            if count == 0 { break }
            position += Int64(count)
            var start = 0
            while let end = chunk[start..<count].firstIndex(of: UInt8(ascii: "\n")) {
                pending.append(contentsOf: chunk[start..<end])
                take(pending, from: first, into: &contents)
                pending.removeAll(keepingCapacity: true)
                start = end + 1
            }
            pending.append(contentsOf: chunk[start..<count])
        }
        contents.tornByteCount = Int64(pending.count)
        contents.completeByteCount = offset
        return contents
    }

    private mutating func take(_ line: [UInt8], from first: Int64, into contents: inout JournalContents) {
        offset += Int64(line.count) + 1
        lineNumber += 1
        if let entry = line.withUnsafeBytes({ JournalEntry(line: $0) }) {
            if entry.sequence >= first { contents.entries.append(entry) }
        } else {
            contents.damagedLines.append(lineNumber)
        }
    }
}
