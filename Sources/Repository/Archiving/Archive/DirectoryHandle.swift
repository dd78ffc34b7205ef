import CLinux
import Glibc

/// An open directory and its path; closed when nobody needs it any more.
final class DirectoryHandle: Sendable {
    let descriptor: Int32
    /// The path as the file system has it, without NUL.
    let path: [UInt8]

    private init(descriptor: Int32, path: [UInt8]) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Opens a directory below another, or from a path; never follows a symbolic link below a parent.
    ///
    /// - Returns: nil with errno set.
    static func open(_ name: [UInt8], in parent: DirectoryHandle?) -> DirectoryHandle? {
        let noFollow = parent == nil ? 0 : CLINUX_O_NOFOLLOW
        let flags = O_RDONLY | O_CLOEXEC | CLINUX_O_DIRECTORY | noFollow
        let descriptor = (name + [0]).withUnsafeBytes { bytes -> Int32 in
            let text = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            let at = parent?.descriptor ?? AT_FDCWD
            // O_NOATIME is refused for files of others (open(2)).
            let quiet = clinux_openat(at, text, flags | CLINUX_O_NOATIME, 0)
            return quiet < 0 && errno == EPERM ? clinux_openat(at, text, flags, 0) : quiet
        }
        guard descriptor >= 0 else { return nil }
        return DirectoryHandle(descriptor: descriptor, path: parent?.childPath(name) ?? name)
    }

    /// The path of an entry.
    func childPath(_ name: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(path.count + name.count + 1)
        result.append(contentsOf: path)
        if path.last != 0x2F { result.append(0x2F) }
        result.append(contentsOf: name)
        return result
    }

    /// The path of an entry as text for people.
    func childText(_ name: [UInt8]) -> String { String(decoding: childPath(name), as: UTF8.self) }

    /// The names of all entries but `.` and `..`, sorted by their bytes.
    ///
    /// - Returns: nil with errno set.
    func sortedNames() -> [[UInt8]]? {
        // fdopendir(3) takes the descriptor over, so it gets one of its own.
        let copy = clinux_fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return nil }
        guard let stream = fdopendir(copy) else {
            let code = errno
            close(copy)
            errno = code
            return nil
        }
        defer { closedir(stream) }
        rewinddir(stream)
        var names: [[UInt8]] = []
        errno = 0
        while let entry = readdir(stream) {
            let offset = MemoryLayout<dirent>.offset(of: \dirent.d_name) ?? 19
            let text = UnsafeRawPointer(entry) + offset
            let count = strlen(text.assumingMemoryBound(to: CChar.self))
            let bytes = UnsafeRawBufferPointer(start: text, count: count)
            if bytes[0] == 0x2E, count == 1 || (count == 2 && bytes[1] == 0x2E) { continue }
            names.append(Array(bytes))
            errno = 0
        }
        guard errno == 0 else { return nil }
        names.sort { $0.lexicographicallyPrecedes($1) }
        return names
    }
}
