import CLinux
import Glibc

/// The system calls by which a journal becomes durable, so that tests can watch their order and let them fail.
///
/// All throw ``JournalError``. Paths are absolute.
package protocol JournalFiles: Sendable {
    /// Makes a new file, mode 0600, open for appending and reading; an existing one is an error.
    func create(_ path: String) throws -> Int32
    /// Opens an existing file for appending and reading.
    func open(_ path: String) throws -> Int32
    /// Takes the exclusive flock(2) of an open file; false when somebody else has it.
    func lock(_ descriptor: Int32, _ path: String) throws -> Bool
    /// One write(2). Returns how many bytes were written, which can be fewer than given.
    func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws -> Int
    /// ftruncate(2).
    func truncate(_ descriptor: Int32, to byteCount: Int64, _ path: String) throws
    /// fsync(2) of a file.
    func synchronize(_ descriptor: Int32, _ path: String) throws
    /// fsync(2) of a directory, after which the names in it are durable.
    func synchronizeDirectory(_ path: String) throws
    /// Gives a file its name; an existing file of that name is an error.
    func rename(_ path: String, to newPath: String) throws
    /// Removes a file; a missing one is no error.
    func remove(_ path: String) throws
    /// close(2).
    func close(_ descriptor: Int32)
}

/// The calls of the running system.
package struct SystemJournalFiles: JournalFiles {
    /// The calls of the running system.
    package init() {}

    package func create(_ path: String) throws -> Int32 {
        try opened(path, O_CREAT | O_EXCL, "make")
    }

    package func open(_ path: String) throws -> Int32 { try opened(path, 0, "open") }

    private func opened(_ path: String, _ flags: Int32, _ action: String) throws -> Int32 {
        let all = O_RDWR | O_APPEND | O_CLOEXEC | CLINUX_O_NOFOLLOW | flags
        return try retrying(action, path) { clinux_open(path, all, 0o600) }
    }

    package func lock(_ descriptor: Int32, _ path: String) throws -> Bool {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return false }
            if errno != EINTR { throw JournalError.system("lock", path, number: errno) }
        }
        return true
    }

    package func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws -> Int {
        while true {
            let count = Glibc.write(descriptor, bytes, bytes.count)
            if count >= 0 { return count }
            if errno != EINTR { throw JournalError.system("write", path, number: errno) }
        }
    }

    package func truncate(_ descriptor: Int32, to byteCount: Int64, _ path: String) throws {
        try retrying("shorten", path) { ftruncate(descriptor, off_t(byteCount)) }
    }

    package func synchronize(_ descriptor: Int32, _ path: String) throws {
        try retrying("make durable", path) { fsync(descriptor) }
    }

    package func synchronizeDirectory(_ path: String) throws {
        let descriptor = try retrying("open", path) {
            clinux_open(path, O_RDONLY | O_CLOEXEC | CLINUX_O_DIRECTORY, 0)
        }
        defer { close(descriptor) }
        try synchronize(descriptor, path)
    }

    package func rename(_ path: String, to newPath: String) throws {
        try retrying("make", newPath) { clinux_rename_noreplace(AT_FDCWD, path, AT_FDCWD, newPath) }
    }

    package func remove(_ path: String) throws {
        if unlink(path) != 0, errno != ENOENT { throw JournalError.system("remove", path, number: errno) }
    }

    package func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

    /// Source: signal(7), interruption of system calls by signal handlers.
    @discardableResult
    private func retrying(_ action: String, _ path: String, _ call: () -> Int32) throws -> Int32 {
        while true {
            let result = call()
            if result >= 0 { return result }
            if errno != EINTR { throw JournalError.system(action, path, number: errno) }
        }
    }
}
