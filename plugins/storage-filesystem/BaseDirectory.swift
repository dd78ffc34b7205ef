import CLinux
import Glibc
import PluginKit

/// The directory of the repository, looked up anew for every call, so that a file system that was unmounted is an outage
/// and not an empty store.
struct BaseDirectory: Sendable {
    /// Without double or trailing slashes.
    let path: String
    private let device: UInt64
    private let inode: UInt64

    /// - Throws: `PluginFailure`: `notFound` when the directory is missing and not to be made, `badConfig` when it is
    ///   something else.
    init(path: String, create: Bool) throws {
        let segments = path.split(separator: "/")
        guard !segments.isEmpty else { throw PluginFailure.badConfig("'path' must not be the root directory") }
        guard !path.utf8.contains(0), !segments.contains("..") else {
            throw PluginFailure.badConfig("'path' must not contain '..'")
        }
        self.path = "/" + segments.joined(separator: "/")
        if create { try Self.make(segments.map { String($0) }) }
        let status = try Self.openDirectory(self.path).status(naming: self.path)
        device = status.device
        inode = status.inode
    }

    /// The directory itself, proven to be the one that was opened first.
    func open() throws -> Descriptor {
        let directory: Descriptor
        do { directory = try Self.openDirectory(path) } catch let failure as PluginFailure
            where failure.code == .notFound
        {
            // It was there when the plugin was opened: an outage, and no proof that an object is absent.
            throw PluginFailure.unavailable(failure.message)
        }
        let status = try directory.status(naming: path)
        guard status.device == device, status.inode == inode else {
            throw PluginFailure.unavailable(
                "'\(path)' is not the directory it was when the plugin was opened; was its file system unmounted?")
        }
        return directory
    }

    private static func openDirectory(_ path: String) throws -> Descriptor {
        // The path itself may be a symbolic link; what is below it may not.
        let number = clinux_open(path, O_RDONLY | CLINUX_O_DIRECTORY | O_CLOEXEC, 0)
        guard number < 0 else { return Descriptor(number) }
        switch errno {
        case ENOENT:
            throw PluginFailure(
                .notFound,
                "the directory '\(path)' does not exist; make it, mount its file system, or set 'create' to true")
        case ENOTDIR: throw PluginFailure.badConfig("'\(path)' is not a directory")
        case let code: throw PluginFailure.system("open '\(path)'", errno: code)
        }
    }

    private static func make(_ segments: [String]) throws {
        var path = ""
        for segment in segments {
            let parent = path.isEmpty ? "/" : path
            path += "/" + segment
            if mkdir(path, 0o700) == 0 {
                try openDirectory(parent).synchronize(naming: parent)
                continue
            }
            // Directories that exist need not be writable, so that EEXIST is not the only good answer.
            var status = clinux_stat()
            let code = errno
            guard code == EEXIST || clinux_lstatat(AT_FDCWD, path, &status) == 0 else {
                throw PluginFailure.system("make the directory '\(path)'", errno: code)
            }
        }
    }
}
