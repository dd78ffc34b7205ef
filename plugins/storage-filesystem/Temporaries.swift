import CLinux
import Glibc
import PluginKit
import Synchronization

/// Unfinished files: all of them in one directory with a leading dot, which no list shows.
final class Temporaries: Sendable {
    /// Below the base, so that a rename moves a file into its place.
    static let directoryName = ".stillpoint-tmp"
    /// Younger files may belong to a process that still writes them.
    private static let staleAfterSeconds: Int64 = 3600

    private let counter = Atomic<Int>(0)

    /// The directory, made where it is missing.
    func directory(in base: borrowing Descriptor) throws -> Descriptor {
        guard mkdirat(base.number, Self.directoryName, 0o700) == 0 || errno == EEXIST else {
            throw PluginFailure.system("make the directory '\(Self.directoryName)'", errno: errno)
        }
        guard let directory = try existingDirectory(in: base) else {
            throw PluginFailure.unavailable("the directory '\(Self.directoryName)' was removed")
        }
        return directory
    }

    private func existingDirectory(in base: borrowing Descriptor) throws -> Descriptor? {
        try Descriptor.open(
            Self.directoryName, in: base.number, flags: O_RDONLY | CLINUX_O_DIRECTORY, naming: Self.directoryName)
    }

    /// A name that no other process and no other call uses.
    func uniqueName() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let number = counter.add(1, ordering: .relaxed).newValue
        return "\(getpid())-\(now.tv_sec)-\(now.tv_nsec)-\(number)"
    }

    /// Removes what a process that died left behind more than an hour ago.
    func sweep(in base: borrowing Descriptor) throws {
        guard let directory = try existingDirectory(in: base) else { return }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        for entry in try DirectoryEntries.read(directory, naming: Self.directoryName) {
            var status = clinux_stat()
            // ctime, because a file that was linked keeps the mtime it had.
            guard clinux_lstatat(directory.number, entry.name, &status) == 0, status.isRegularFile,
                Int64(now.tv_sec) - status.ctime_seconds > Self.staleAfterSeconds
            else { continue }
            // What cannot be removed now is tried again at the next start.
            _ = unlinkat(directory.number, entry.name, 0)
        }
    }

    /// Proves that a file can be written, made durable and removed.
    func tryWriting(in base: borrowing Descriptor) throws {
        let directory = try directory(in: base)
        let name = uniqueName()
        let flags = O_WRONLY | O_CREAT | O_EXCL
        guard
            let file = try Descriptor.open(
                name, in: directory.number, flags: flags, mode: 0o600, naming: "\(Self.directoryName)/\(name)")
        else { throw PluginFailure.unavailable("the directory '\(Self.directoryName)' was removed") }
        defer { _ = unlinkat(directory.number, name, 0) }
        guard write(file.number, "stillpoint", 10) == 10 else {
            throw PluginFailure.system("write a file for the check", errno: errno)
        }
        try file.synchronize(naming: name)
    }
}
