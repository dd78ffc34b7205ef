import CLinux
import Glibc

/// Where the host keeps what it knows: docs/guide and the table "State on disk" of the architecture.
package struct StatePaths: Sendable, Hashable {
    /// The state directory; everything else but cache and spool lies in it.
    package let root: String
    /// Files on their way to and from plugins; may be deleted while nothing runs.
    package let spool: String
    /// Copies of what repositories hold; may be deleted at any time.
    package let cache: String

    /// The catalog, an SQLite database; it is what makes a directory a state directory.
    package var catalog: String { root + "/catalog.sqlite3" }
    /// Journals of runs, locks of applications.
    package var runs: String { root + "/runs" }
    /// Secrets, for their owner only.
    package var secrets: String { root + "/secrets" }
    /// Copies of the catalog on their way into a snapshot and out of one.
    package var scratch: String { root + "/scratch" }

    /// - Parameters:
    ///   - root: absolute.
    ///   - cache: `cache` in the root when nil.
    package init(root: String, spool: String, cache: String? = nil) {
        self.root = root
        self.spool = spool
        self.cache = cache ?? root + "/cache"
    }

    /// Chooses the directories.
    ///
    /// - Parameters:
    ///   - state: what the operator said (`--state`); wins over everything, and takes spool and cache with it.
    ///   - isRoot: whether the system's directories are used or those of a user.
    /// - Throws: ``ServiceError/Code/badValue`` for a relative path in a variable, or when there is no home.
    package init(state: String?, environment: Environment, isRoot: Bool) throws {
        if let chosen = state ?? environment["STILLPOINT_STATE"] {
            let root = try Self.absolute(chosen)
            self.init(root: root, spool: root + "/spool")
            return
        }
        if let root = environment.directory("STATE_DIRECTORY") {
            let cache = environment.directory("RUNTIME_DIRECTORY") ?? environment.directory("CACHE_DIRECTORY") ?? root
            self.init(
                root: try Self.required(root, "STATE_DIRECTORY"), spool: cache + "/spool",
                cache: environment.directory("CACHE_DIRECTORY"))
        } else if isRoot {
            self.init(
                root: "/var/lib/stillpoint", spool: "/var/cache/stillpoint/spool", cache: "/var/cache/stillpoint")
        } else {
            let home = environment["HOME"]
            guard let state = environment["XDG_STATE_HOME"] ?? home.map({ $0 + "/.local/state" }),
                let cache = environment["XDG_CACHE_HOME"] ?? home.map({ $0 + "/.cache" })
            else {
                throw ServiceError(.badValue, "There is no HOME to keep the state in; say where with --state DIR.")
            }
            self.init(
                root: try Self.required(state, "XDG_STATE_HOME") + "/stillpoint",
                spool: try Self.required(cache, "XDG_CACHE_HOME") + "/stillpoint/spool",
                cache: cache + "/stillpoint")
        }
    }

    private static func required(_ path: String, _ variable: String) throws -> String {
        guard path.hasPrefix("/") else {
            throw ServiceError(.badValue, "The variable \(variable) must be an absolute path, it is '\(path)'.")
        }
        return path
    }

    /// A path below the current directory made absolute, without `.` and `..` resolved.
    package static func absolute(_ path: String) throws -> String {
        guard !path.isEmpty else { throw ServiceError(.badValue, "A path is empty.") }
        if path.hasPrefix("/") { return path }
        guard let current = getcwd(nil, 0) else {
            throw ServiceError(.inaccessible, "The current directory cannot be found; give an absolute path.")
        }
        defer { free(current) }
        return String(cString: current) + "/" + path
    }

    /// True when a state directory was set up here.
    package var exists: Bool { access(catalog, F_OK) == 0 }

    /// Makes what is missing, each directory for its owner only.
    ///
    /// - Throws: ``ServiceError``: `inaccessible`; `exposed` when others could read the secrets.
    package func prepare() throws {
        for path in [root, runs, secrets, scratch] { try Self.makeDirectories(path) }
        var info = clinux_stat()
        guard clinux_lstatat(AT_FDCWD, secrets, &info) == 0 else {
            throw ServiceError(.inaccessible, "\(secrets) cannot be read: \(String(cString: strerror(errno))).")
        }
        guard info.mode & 0o077 == 0 else {
            throw ServiceError(
                .exposed, "Others can read \(secrets); run 'chmod 700 \(secrets)' and change what was in it.")
        }
    }

    /// Makes a directory and those above it.
    package static func makeDirectories(_ path: String) throws {
        var made = ""
        for name in path.split(separator: "/") {
            made += "/" + name
            if mkdir(made, 0o700) != 0, errno != EEXIST {
                throw ServiceError(.inaccessible, "\(made) cannot be made: \(String(cString: strerror(errno))).")
            }
        }
    }
}
