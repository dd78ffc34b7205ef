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
        guard let root = DirectoryHandle.open(path: Array(path.utf8)) else {
            throw ArchiveError.unwritable(path, errno)
        }
        try removeContents(of: root, device: stat.device)
        guard rmdir(path) == 0 || errno == ENOENT else { throw ArchiveError.unwritable(path, errno) }
    }

    private static func removeContents(of root: DirectoryHandle, device: UInt64) throws {
        var directories = DirectoryStack()
        var frames: [(name: [UInt8], names: NameList, position: Int)] = []
        func enter(_ handle: DirectoryHandle, _ name: [UInt8]) throws {
            guard let names = handle.sortedNames() else {
                throw ArchiveError.unwritable(String(decoding: handle.path, as: UTF8.self), errno)
            }
            directories.push(handle, name: name)
            frames.append((name, names, 0))
        }
        try enter(root, [])
        while let frame = frames.last {
            guard let handle = directories.top else {
                throw ArchiveError.unwritable(String(decoding: root.path, as: UTF8.self), ENOENT)
            }
            guard frame.position < frame.names.count else {
                frames.removeLast()
                directories.pop()
                guard let parent = directories.top else { continue }
                if frame.name.withTerminator({ unlinkat(parent.descriptor, $0, AT_REMOVEDIR) }) != 0, errno != ENOENT {
                    throw ArchiveError.unwritable(parent.childText(frame.name), errno)
                }
                continue
            }
            frames[frames.count - 1].position += 1
            let name = frame.names[frame.position]
            var entry = clinux_stat()
            guard handle.look(at: name, &entry) else { continue }
            guard entry.device == device else { throw ArchiveError.unwritable(handle.childText(name), EXDEV) }
            if entry.mode & 0o170000 == 0o040000 {
                guard let child = DirectoryHandle.open(name, in: handle) else {
                    throw ArchiveError.unwritable(handle.childText(name), errno)
                }
                try enter(child, name)
            } else if name.withTerminator({ unlinkat(handle.descriptor, $0, 0) }) != 0, errno != ENOENT {
                throw ArchiveError.unwritable(handle.childText(name), errno)
            }
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
        DirectoryHandle.open(path: Array(path.utf8))?.sortedNames()?.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Makes a directory; its path may be longer than the system takes at once.
    ///
    /// - Returns: true when it was made, or something is there; false with errno set.
    package static func makeDirectory(_ path: String, mode: UInt32) -> Bool {
        let bytes = Array(path.utf8)
        // PATH_MAX of limits.h is 4,096 with the terminator.
        guard bytes.count >= 4096, let slash = bytes.lastIndex(of: 0x2F) else {
            return mkdir(path, mode) == 0 || errno == EEXIST
        }
        guard let parent = DirectoryHandle.open(path: Array(bytes[..<slash])) else { return false }
        let made = Array(bytes[(slash + 1)...]).withTerminator { mkdirat(parent.descriptor, $0, mode) }
        return made == 0 || errno == EEXIST
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
