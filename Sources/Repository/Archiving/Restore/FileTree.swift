import CLinux
import Glibc

/// Whole trees of files.
package enum FileTree {
    /// Removes a file, or a directory with everything below it; never follows a symbolic link, never leaves the file
    /// system of the directory. What is not there needs no removing.
    ///
    /// - Throws: ``ArchiveError/Code/unwritable`` for the first entry that cannot be removed.
    package static func remove(_ path: String) throws {
        var stat = clinux_stat()
        guard clinux_lstatat(AT_FDCWD, path, &stat) == 0 else {
            if errno == ENOENT { return }
            throw ArchiveError.unwritable(path, errno)
        }
        guard stat.mode & 0o170000 == 0o040000 else {
            guard unlink(path) == 0 || errno == ENOENT else { throw ArchiveError.unwritable(path, errno) }
            return
        }
        // Directories before what is in them; removed in the reverse order.
        var directories: [[UInt8]] = []
        var stack = [Array(path.utf8)]
        while let directory = stack.popLast() {
            directories.append(directory)
            guard let handle = DirectoryHandle.open(directory, in: nil), let names = handle.sortedNames() else {
                throw ArchiveError.unwritable(String(decoding: directory, as: UTF8.self), errno)
            }
            for name in names {
                var entry = clinux_stat()
                guard name.withTerminator({ clinux_lstatat(handle.descriptor, $0, &entry) }) == 0 else { continue }
                guard entry.device == stat.device else { throw ArchiveError.unwritable(handle.childText(name), EXDEV) }
                if entry.mode & 0o170000 == 0o040000 {
                    stack.append(handle.childPath(name))
                } else if name.withTerminator({ unlinkat(handle.descriptor, $0, 0) }) != 0, errno != ENOENT {
                    throw ArchiveError.unwritable(handle.childText(name), errno)
                }
            }
        }
        for directory in directories.reversed() where directory.withTerminator({ rmdir($0) }) != 0 && errno != ENOENT {
            throw ArchiveError.unwritable(String(decoding: directory, as: UTF8.self), errno)
        }
    }

    /// What is at a path: nil when nothing is.
    package static func kind(at path: String) -> Kind? {
        var stat = clinux_stat()
        guard clinux_lstatat(AT_FDCWD, path, &stat) == 0 else { return nil }
        guard stat.mode & 0o170000 == 0o040000 else { return .other }
        var parent = clinux_stat()
        guard clinux_lstatat(AT_FDCWD, path + "/..", &parent) == 0 else { return .directory }
        return parent.device == stat.device && parent.inode != stat.inode ? .directory : .mountPoint
    }

    /// See ``kind(at:)``.
    package enum Kind: Sendable { case directory, mountPoint, other }

    /// The names in a directory but `.` and `..`, sorted; nil when it cannot be listed.
    package static func names(in path: String) -> [String]? {
        DirectoryHandle.open(Array(path.utf8), in: nil)?.sortedNames()?.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Makes a directory durable in its parent: what was renamed in it stays so after a power cut (fsync(2)).
    package static func synchronize(_ directory: String) {
        let descriptor = clinux_open(directory, O_RDONLY | O_CLOEXEC | CLINUX_O_DIRECTORY, 0)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    /// Makes everything on the file system of a path durable (syncfs(2)).
    package static func synchronizeFileSystem(of path: String) {
        let descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return }
        _ = clinux_syncfs(descriptor)
        close(descriptor)
    }
}
