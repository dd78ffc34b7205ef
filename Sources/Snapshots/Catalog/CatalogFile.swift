import CLinux
import Glibc

/// The file of the catalog and its directory: made for the owner alone before SQLite sees them.
enum CatalogFile {
    /// Makes the directory (0700, with those above it) and the file (0600); an existing file is taken from others.
    /// SQLite gives its -wal and -shm files the mode of the database. Source: https://www.sqlite.org/wal.html
    static func prepare(_ path: String) throws {
        let directory = directory(of: path)
        try makeDirectory(directory)
        // An existing file is never opened here: closing a descriptor of a database drops the locks that other
        // connections of this process hold on it. Source: https://www.sqlite.org/howtocorrupt.html, section 2.2.
        var status = clinux_stat()
        if clinux_lstatat(AT_FDCWD, path, &status) == 0 {
            guard status.mode & S_IFMT == S_IFREG else {
                throw CatalogError.inaccessible(
                    path, "use", cause: SystemCallFailure(call: "it is no regular file", number: EINVAL))
            }
            if status.mode & 0o077 != 0, status.uid == geteuid() { chmod(path, 0o600) }
            return
        }
        guard errno == ENOENT else { throw failure(path, "look at") }
        let descriptor = clinux_open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 { close(descriptor) } else if errno != EEXIST { throw failure(path, "make") }
    }

    /// Makes an empty file for the owner alone; an existing one is an error.
    static func makeNew(_ path: String) throws {
        let descriptor = clinux_open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | CLINUX_O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure(path, "write") }
        close(descriptor)
    }

    /// Runs `body` while no other process opens the same catalog.
    static func withOpeningLock<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        let lockPath = path + ".lock"
        let descriptor = clinux_open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | CLINUX_O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure(lockPath, "lock") }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw failure(lockPath, "lock") }
        }
        return try body()
    }

    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            return path.hasPrefix("/") ? "/" : "."
        }
        return String(path[..<slash])
    }

    private static func makeDirectory(_ path: String) throws {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, path != "/", path != "." else { throw failure(path, "make the directory of") }
        try makeDirectory(directory(of: path))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure(path, "make the directory of") }
    }

    private static func failure(_ path: String, _ action: String) -> CatalogError {
        CatalogError.inaccessible(path, action, cause: SystemCallFailure(call: path, number: errno))
    }
}
