import CLinux
import Glibc
import PluginKit
import Synchronization

/// Objects as files below one directory: the key is the path. Restic's local repository layout is of this form.
///
/// Source: restic, doc/design.rst, Repository Layout; modes 0700 and 0400 as its local backend has them.
final class FilesystemStore: StoragePluginHandler {
    let base: BaseDirectory
    let mode: AccessMode
    let temporaries: Temporaries
    /// Directories whose own entry this process has written to the disk.
    let durableDirectories = Mutex<Set<String>>([])

    private init(base: BaseDirectory, mode: AccessMode) {
        self.base = base
        self.mode = mode
        temporaries = Temporaries()
    }

    /// - Throws: `PluginFailure` as ``BaseDirectory``; reading and, in mode `rw`, writing must be allowed.
    static func open(_ parameters: OpenParameters) throws -> FilesystemStore {
        umask(0o077)
        let reader = JSONReader(parameters.config, path: "config")
        let create = try reader.optionalBool("create") ?? false
        let base = try BaseDirectory(
            path: try reader.string("path"), create: create && parameters.mode == .readWrite)
        let access = parameters.mode == .readWrite ? R_OK | W_OK | X_OK : R_OK | X_OK
        guard faccessat(AT_FDCWD, base.path, access, AT_EACCESS) == 0 else {
            throw PluginFailure.system("use the directory '\(base.path)'", errno: errno)
        }
        let store = FilesystemStore(base: base, mode: parameters.mode)
        if parameters.mode == .readWrite { try store.temporaries.sweep(in: try base.open()) }
        return store
    }

    func check(_ call: CallContext) throws {
        let base = try base.open()
        if mode == .readWrite { try temporaries.tryWriting(in: base) }
    }

    func requireWritable() throws {
        guard mode == .readWrite else {
            throw PluginFailure.permissionDenied("the store '\(base.path)' was opened for reading only")
        }
    }

    /// The path of a file for messages.
    func path(of key: ObjectKey) -> String { "\(base.path)/\(key)" }
}

// MARK: Stat and delete

extension FilesystemStore {
    func stat(_ key: ObjectKey, _ call: CallContext) throws -> ObjectStat {
        guard let parent = try existingParent(of: key) else { throw PluginFailure.notFound(key) }
        var status = clinux_stat()
        guard clinux_lstatat(parent.number, key.lastSegment, &status) == 0 else {
            if errno == ENOENT { throw PluginFailure.notFound(key) }
            throw PluginFailure.system("examine '\(path(of: key))'", errno: errno)
        }
        guard status.isRegularFile else { throw PluginFailure.notFound(key) }
        return ObjectStat(size: status.byteCount, modified: status.modifiedMilliseconds)
    }

    func delete(_ key: ObjectKey, _ call: CallContext) throws {
        try requireWritable()
        guard let parent = try existingParent(of: key) else { return }
        guard unlinkat(parent.number, key.lastSegment, 0) == 0 else {
            // A directory is not an object, so that the object is absent.
            if errno == ENOENT || errno == EISDIR { return }
            throw PluginFailure.system("remove '\(path(of: key))'", errno: errno)
        }
        // An index that comes back after a power cut would name packs that are gone.
        try parent.synchronize(naming: path(of: key))
    }
}

extension ObjectKey {
    /// The name of the file in its directory.
    var lastSegment: String { String(text.split(separator: "/").last ?? "") }
    /// The names of the directories that lead to it.
    var directories: [String] { text.split(separator: "/").dropLast().map { String($0) } }
}
