import CLinux
import Glibc
import PluginKit
import Synchronization

extension FilesystemStore {
    /// The directory in which the file of `key` stands; nil when it, or one above it, is missing.
    ///
    /// Each step is taken without following symbolic links; a link in the way is an error, never "not found".
    func existingParent(of key: ObjectKey) throws -> Descriptor? {
        var directory = try base.open()
        for name in key.directories {
            let number = Self.openDirectory(name, in: directory.number)
            guard number >= 0 else {
                // An object in the way proves that nothing can be below it.
                if number == -ENOENT || Self.isFile(name, in: directory.number) { return nil }
                throw PluginFailure.system("open the directory of '\(path(of: key))'", errno: -number)
            }
            directory = Descriptor(number)
        }
        return directory
    }

    /// The directory in which the file of `key` is to stand, made where it is missing, and written to the disk with all
    /// above it.
    func makeParent(of key: ObjectKey) throws -> Descriptor {
        var directory = try base.open()
        var walked = ""
        for name in key.directories {
            walked += "/" + name
            let next = try makeDirectory(name, in: directory.number, key)
            // Another process may have made it a moment ago, so that finding it says nothing about the disk.
            if durableDirectories.withLock({ !$0.contains(walked) }) {
                try directory.synchronize(naming: base.path + walked)
                durableDirectories.withLock { _ = $0.insert(walked) }
            }
            directory = next
        }
        return directory
    }

    private func makeDirectory(_ name: String, in directory: Int32, _ key: ObjectKey) throws -> Descriptor {
        for _ in 0..<3 {
            let number = Self.openDirectory(name, in: directory)
            if number >= 0 { return Descriptor(number) }
            if number != -ENOENT {
                if Self.isFile(name, in: directory) {
                    throw PluginFailure(
                        .conflict, "'\(path(of: key))' cannot be stored: '\(name)' on the way is an object itself")
                }
                throw PluginFailure.system("open the directory of '\(path(of: key))'", errno: -number)
            }
            guard mkdirat(directory, name, 0o700) == 0 || errno == EEXIST else {
                throw PluginFailure.system("make a directory for '\(path(of: key))'", errno: errno)
            }
        }
        throw PluginFailure.unavailable("the directory of '\(path(of: key))' is removed as soon as it is made")
    }

    /// - Returns: a descriptor, or the negative error number.
    private static func openDirectory(_ name: String, in directory: Int32) -> Int32 {
        while true {
            let flags = O_RDONLY | CLINUX_O_DIRECTORY | CLINUX_O_NOFOLLOW | O_CLOEXEC
            let number = clinux_openat(directory, name, flags, 0)
            if number >= 0 { return number }
            if errno != EINTR { return -errno }
        }
    }

    private static func isFile(_ name: String, in directory: Int32) -> Bool {
        var status = clinux_stat()
        return clinux_lstatat(directory, name, &status) == 0 && status.isRegularFile
    }
}
