import CLinux
import Glibc

/// An open directory and its path; closed when nobody needs it any more.
final class DirectoryHandle: Sendable {
    /// What tells one directory from all others of the machine.
    struct Identity: Equatable {
        let device: UInt64
        let inode: UInt64
    }

    let descriptor: Int32
    /// The path as the file system has it, without NUL; for messages. It may be longer than any system call takes.
    let path: [UInt8]

    init(descriptor: Int32, path: [UInt8]) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    private static let flags = O_RDONLY | O_CLOEXEC | CLINUX_O_DIRECTORY

    /// Opens a directory below another; never follows a symbolic link.
    ///
    /// - Returns: nil with errno set.
    static func open(_ name: [UInt8], in parent: DirectoryHandle) -> DirectoryHandle? {
        let descriptor = open(name, at: parent.descriptor, flags | CLINUX_O_NOFOLLOW)
        return descriptor < 0 ? nil : DirectoryHandle(descriptor: descriptor, path: parent.childPath(name))
    }

    /// Opens a directory by its path of any length, following symbolic links.
    ///
    /// - Returns: nil with errno set.
    static func open(path: [UInt8]) -> DirectoryHandle? {
        var rest = path[...]
        var base = AT_FDCWD
        defer { if base != AT_FDCWD { closeKeepingError(base) } }
        // The system takes 4,095 bytes at once (PATH_MAX, limits.h), but any number one after the other.
        while rest.count > 4000 {
            guard let slash = rest.prefix(4000).lastIndex(of: 0x2F), slash > rest.startIndex else {
                errno = ENAMETOOLONG
                return nil
            }
            let next = open(Array(rest[..<slash]), at: base, CLINUX_O_PATH | O_CLOEXEC | CLINUX_O_DIRECTORY)
            guard next >= 0 else { return nil }
            if base != AT_FDCWD { close(base) }
            base = next
            rest = rest[slash...].drop { $0 == 0x2F }
        }
        let descriptor = open(rest.isEmpty ? [0x2E] : Array(rest), at: base, flags)
        return descriptor < 0 ? nil : DirectoryHandle(descriptor: descriptor, path: path)
    }

    private static func open(_ name: [UInt8], at directory: Int32, _ flags: Int32) -> Int32 {
        name.withTerminator { text in
            if flags & CLINUX_O_PATH != 0 { return clinux_openat(directory, text, flags, 0) }
            // O_NOATIME is refused for directories of others (open(2)).
            let quiet = clinux_openat(directory, text, flags | CLINUX_O_NOATIME, 0)
            return quiet < 0 && errno == EPERM ? clinux_openat(directory, text, flags, 0) : quiet
        }
    }

    private static func closeKeepingError(_ descriptor: Int32) {
        let code = errno
        close(descriptor)
        errno = code
    }

    /// Opens the directory that has this one as an entry, whatever it is called now.
    func openParent(path: [UInt8]) -> DirectoryHandle? {
        let descriptor = Self.open([0x2E, 0x2E], at: descriptor, Self.flags)
        return descriptor < 0 ? nil : DirectoryHandle(descriptor: descriptor, path: path)
    }

    /// Device and inode; nil with errno set.
    var identity: Identity? {
        var stat = clinux_stat()
        guard clinux_fstat(descriptor, &stat) == 0 else { return nil }
        return Identity(device: stat.device, inode: stat.inode)
    }

    /// Looks at an entry itself, never at what a link points at.
    ///
    /// - Returns: false with errno set.
    func look(at name: [UInt8], _ stat: inout clinux_stat) -> Bool {
        name.withTerminator { clinux_lstatat(descriptor, $0, &stat) == 0 }
    }

    /// What a symbolic link points at.
    ///
    /// - Returns: nil with errno set.
    func linkTarget(_ name: [UInt8]) -> [UInt8]? {
        // Linux takes targets of up to 4,095 bytes (symlink(2)); a few file systems hold longer ones.
        var size = 4096
        while true {
            var target = [CChar](repeating: 0, count: size)
            let count = name.withTerminator { readlinkat(descriptor, $0, &target, size) }
            guard count >= 0 else { return nil }
            if count < size || size >= 1 << 20 { return target[0..<count].map { UInt8(bitPattern: $0) } }
            size *= 4
        }
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
    func sortedNames() -> NameList? {
        // fdopendir(3) takes the descriptor over, so it gets one of its own.
        let copy = clinux_fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return nil }
        guard let stream = fdopendir(copy) else {
            Self.closeKeepingError(copy)
            return nil
        }
        defer { closedir(stream) }
        rewinddir(stream)
        var names = NameList()
        errno = 0
        while let entry = readdir(stream) {
            let offset = MemoryLayout<dirent>.offset(of: \dirent.d_name) ?? 19
            let text = UnsafeRawPointer(entry) + offset
            let count = strlen(text.assumingMemoryBound(to: CChar.self))
            let bytes = UnsafeRawBufferPointer(start: text, count: count)
            if bytes[0] == 0x2E, count == 1 || (count == 2 && bytes[1] == 0x2E) { continue }
            names.append(bytes)
            errno = 0
        }
        guard errno == 0 else { return nil }
        names.sort()
        return names
    }
}
