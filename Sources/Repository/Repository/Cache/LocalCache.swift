import CLinux
import Glibc
import RepositoryFormat
import Synchronization

/// Copies of one repository's indexes, snapshots and tree packs on this machine, as sealed as they are in the store.
///
/// Nothing in it is believed: whoever reads a copy proves it as if it came from the store, and asks the store when that
/// fails. So every file may be deleted, cut or replaced at any time, also while it is used; whatever goes wrong here is
/// no error. Copies are written beside their place and renamed, so that processes never see halves of each other.
///
/// Layout: `repositories/ID/index/ID`, `snapshots/ID`, `data/ID` below a directory with a CACHEDIR.TAG
/// (https://bford.info/cachedir/), for its owner only.
package final class LocalCache: Sendable {
    /// Repositories that were not opened for so long lose their copies; restic's rule for its own cache.
    private static let forgottenAfterSeconds = 30 * 24 * 3600
    /// What a process that was killed while writing has left is removed when it is older than this.
    private static let abandonedAfterSeconds = 24 * 3600
    /// A larger copy is none of ours: packs have up to 128 MiB.
    private static let maximumByteCount = 256 << 20
    private static let kinds = [ObjectKind.index, .snapshot, .pack]

    private let directory: String
    private let nextNumber = Atomic<UInt64>(0)
    /// Set when a copy could not be written, e.g. for want of space: then no further one is tried.
    private let isFull = Atomic<Bool>(false)

    /// Makes the directories and marks the repository as used.
    ///
    /// - Parameters:
    ///   - root: absolute; made when it is missing, but not what it stands in.
    ///   - repositoryID: the id in the repository's config.
    /// - Returns: nil where no cache can be.
    package init?(root: String, repositoryID: String) {
        // The id comes from the repository: a name, not a path.
        guard let id = ObjectID(hexadecimal: repositoryID) else { return nil }
        let repositories = root + "/repositories"
        directory = repositories + "/" + id.hexadecimal
        for path in [root, repositories, directory] + Self.kinds.map({ "\(directory)/\($0.rawValue)" }) {
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else { return nil }
        }
        Self.tag(root)
        utimensat(AT_FDCWD, directory, nil, 0)
        Self.removeForgotten(in: repositories, but: id.hexadecimal)
    }

    private func path(_ kind: ObjectKind, _ id: ObjectID) -> String {
        "\(directory)/\(kind.rawValue)/\(id.hexadecimal)"
    }

    /// The bytes of a copy, which may be anything; nil when there is none.
    func read(_ kind: ObjectKind, _ id: ObjectID) -> [UInt8]? {
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | CLINUX_O_NOFOLLOW
        let descriptor = clinux_open(path(kind, id), flags, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var info = clinux_stat()
        guard clinux_fstat(descriptor, &info) == 0, info.mode & 0o170000 == 0o100000, info.size > 0,
            info.size <= UInt64(Self.maximumByteCount)
        else { return nil }
        return [UInt8](unsafeUninitializedCapacity: Int(info.size)) { buffer, count in
            while count < buffer.count {
                let part = Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
                if part < 0, errno == EINTR { continue }
                // A copy that became shorter meanwhile is found out by its hash.
                guard part > 0 else { return }
                count += part
            }
        }
    }

    /// Keeps a copy.
    func write(_ kind: ObjectKind, _ id: ObjectID, _ parts: [UnsafeRawBufferPointer]) {
        guard !isFull.load(ordering: .relaxed) else { return }
        let number = nextNumber.wrappingAdd(1, ordering: .relaxed).newValue
        let temporary = "\(directory)/\(kind.rawValue)/.new-\(getpid())-\(number)"
        let descriptor = clinux_open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        var isWritten = descriptor >= 0
        if isWritten {
            for part in parts {
                var position = 0
                while isWritten, position < part.count {
                    let count = Glibc.write(descriptor, part.baseAddress.map { $0 + position }, part.count - position)
                    if count < 0, errno == EINTR { continue }
                    if count <= 0 { isWritten = false } else { position += count }
                }
            }
            close(descriptor)
            isWritten = isWritten && rename(temporary, path(kind, id)) == 0
            if !isWritten { unlink(temporary) }
        }
        if !isWritten { isFull.store(true, ordering: .relaxed) }
    }

    /// Keeps a copy of bytes that are at hand.
    func write(_ kind: ObjectKind, _ id: ObjectID, _ bytes: [UInt8]) {
        bytes.withUnsafeBytes { write(kind, id, [$0]) }
    }

    /// Removes a copy that turned out to be worthless.
    func remove(_ kind: ObjectKind, _ id: ObjectID) { unlink(path(kind, id)) }

    /// Removes the copies of objects that the repository has no longer.
    func keepOnly(_ kind: ObjectKind, _ isAlive: (ObjectID) -> Bool) {
        let folder = "\(directory)/\(kind.rawValue)"
        for name in Self.names(in: folder) {
            if let id = ObjectID(hexadecimal: name) {
                if !isAlive(id) { unlink("\(folder)/\(name)") }
            } else if name.hasPrefix(".new-"), Self.age("\(folder)/\(name)") > Self.abandonedAfterSeconds {
                unlink("\(folder)/\(name)")
            }
        }
    }

    // MARK: Housekeeping

    private static func tag(_ root: String) {
        let descriptor = clinux_open(root + "/CACHEDIR.TAG", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let text =
            "Signature: 8a477f597d28d172789f06886806bc55\n# Copies of objects of repositories; delete them as you like.\n"
        _ = Array(text.utf8).withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }

    private static func removeForgotten(in repositories: String, but own: String) {
        for name in names(in: repositories) where name != own && ObjectID(hexadecimal: name) != nil {
            let path = "\(repositories)/\(name)"
            guard age(path) > forgottenAfterSeconds else { continue }
            for kind in kinds {
                let folder = "\(path)/\(kind.rawValue)"
                for file in names(in: folder) { unlink("\(folder)/\(file)") }
                rmdir(folder)
            }
            rmdir(path)
        }
    }

    private static func age(_ path: String) -> Int {
        var info = clinux_stat()
        guard clinux_lstatat(AT_FDCWD, path, &info) == 0 else { return 0 }
        return time(nil) - Int(info.mtime_seconds)
    }

    private static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let offset = MemoryLayout<dirent>.offset(of: \dirent.d_name) ?? 19
            let text = UnsafeRawPointer(entry) + offset
            let name = String(cString: text.assumingMemoryBound(to: CChar.self))
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
