import CLinux
import Glibc

/// Who may have changed a plugin's executable. Source: protocol, host rules, 7.
enum ExecutableCheck {
    /// Which version of the file was looked at; another version has another value.
    struct Identity: Sendable, Hashable {
        let device, inode, size: UInt64
        let modifiedSeconds: Int64
        let modifiedNanoseconds: UInt32
    }

    /// Looks at the file and its directory, and at the target and its directory when the path is a symbolic link.
    ///
    /// - Returns: why the host must not run the file, as the end of a sentence; nil when it may.
    static func objection(to path: String) -> String? {
        guard path.hasPrefix("/") else { return "the path is not absolute" }
        guard let resolved = realPath(path) else { return "it cannot be found: \(SystemCallFailure.text(errno))" }
        for directory in Set([parent(of: path), parent(of: resolved)]).sorted() {
            if let problem = objection(toOwnerAndMode: directory) { return "its directory \(directory) \(problem)" }
        }
        var status = clinux_stat()
        guard clinux_lstatat(AT_FDCWD, resolved, &status) == 0 else {
            return "it cannot be examined: \(SystemCallFailure.text(errno))"
        }
        guard status.mode & S_IFMT == S_IFREG else { return "it is not a regular file" }
        guard status.mode & (S_ISUID | S_ISGID) == 0 else { return "it is set-user-id or set-group-id" }
        if let problem = objection(toOwnerAndMode: resolved) { return "it \(problem)" }
        guard status.mode & 0o111 != 0, access(resolved, X_OK) == 0 else { return "it is not executable" }
        return nil
    }

    /// - Throws: ``SystemCallFailure`` when the file is gone.
    static func identity(of path: String) throws -> Identity {
        var status = clinux_stat()
        guard let resolved = realPath(path), clinux_lstatat(AT_FDCWD, resolved, &status) == 0 else {
            throw SystemCallFailure.last("stat \(path)")
        }
        return Identity(
            device: status.device, inode: status.inode, size: status.size,
            modifiedSeconds: status.mtime_seconds, modifiedNanoseconds: status.mtime_nanoseconds)
    }

    private static func objection(toOwnerAndMode path: String) -> String? {
        var status = clinux_stat()
        guard clinux_lstatat(AT_FDCWD, realPath(path) ?? path, &status) == 0 else {
            return "cannot be examined: \(SystemCallFailure.text(errno))"
        }
        guard status.uid == 0 || status.uid == geteuid() else {
            return "belongs to user \(status.uid), neither to root nor to the user running this"
        }
        let mode = String(status.mode & 0o7777, radix: 8)
        guard status.mode & S_IWOTH == 0 else { return "can be written by everybody (mode \(mode)); chmod o-w it" }
        guard status.mode & S_IWGRP == 0 else { return "can be written by its group (mode \(mode)); chmod g-w it" }
        return nil
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
