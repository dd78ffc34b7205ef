import CLinux
import Glibc

/// Removes a directory with all that is in it, without ever following a symbolic link.
enum DirectoryRemoval {
    /// Deeper nesting is left behind; no spool is deeper, but a plugin may have tried.
    private static let maximumDepth = 64

    /// Removes what can be removed; a missing directory is fine.
    static func remove(_ path: String) {
        removeEntry(AT_FDCWD, path, depth: 0)
    }

    private static func removeEntry(_ directory: Int32, _ name: String, depth: Int) {
        var status = clinux_stat()
        guard clinux_lstatat(directory, name, &status) == 0 else { return }
        guard status.mode & S_IFMT == S_IFDIR else {
            unlinkat(directory, name, 0)
            return
        }
        let flags = O_RDONLY | O_CLOEXEC | CLINUX_O_DIRECTORY | CLINUX_O_NOFOLLOW
        let descriptor = clinux_openat(directory, name, flags, 0)
        if descriptor >= 0, depth < maximumDepth {
            // A plugin may have taken away its own right to write.
            fchmod(descriptor, 0o700)
            for entry in names(descriptor) { removeEntry(descriptor, entry, depth: depth + 1) }
        }
        if descriptor >= 0 { close(descriptor) }
        unlinkat(directory, name, AT_REMOVEDIR)
    }

    private static func names(_ descriptor: Int32) -> [String] {
        let copy = clinux_fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0, let handle = fdopendir(copy) else {
            if copy >= 0 { close(copy) }
            return []
        }
        defer { closedir(handle) }
        return DirectoryListing.names(handle)
    }
}
