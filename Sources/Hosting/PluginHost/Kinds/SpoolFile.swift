import CLinux
import Glibc

/// A file that a plugin wrote into its spool. A plugin must not be able to make the host read anything else.
struct SpoolFile {
    private let descriptor: OwnedDescriptor
    /// Its size in bytes.
    let size: Int64

    /// Opens a regular file that belongs to this user, never a link, a FIFO or a device.
    ///
    /// - Throws: ``SpoolFileProblem``.
    init(_ path: String) throws {
        let descriptor: OwnedDescriptor
        do {
            descriptor = try OwnedDescriptor.open(path, O_RDONLY | O_NONBLOCK | CLINUX_O_NOFOLLOW)
        } catch let failure as SystemCallFailure {
            throw SpoolFileProblem(
                failure.code == ELOOP
                    ? "left a symbolic link"
                    : failure.code == ENOENT
                        ? "left no file" : "left a file that cannot be opened (\(failure.reason))")
        }
        var status = clinux_stat()
        guard clinux_fstat(descriptor.number, &status) == 0 else { throw SpoolFileProblem("left a broken file") }
        guard status.mode & S_IFMT == S_IFREG else { throw SpoolFileProblem("left something that is no regular file") }
        guard status.uid == geteuid() else { throw SpoolFileProblem("left a file of user \(status.uid)") }
        self.descriptor = descriptor
        size = Int64(clamping: status.size)
    }

    /// The bytes from `offset` on, `count` of them.
    ///
    /// - Throws: ``SpoolFileProblem`` when the file is shorter.
    func bytes(offset: Int64, count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while initialized < count {
                let rest = UnsafeMutableBufferPointer(rebasing: buffer[initialized...])
                let read = pread(descriptor.number, rest.baseAddress, count - initialized, Int(offset) + initialized)
                if read < 0, errno == EINTR { continue }
                guard read > 0 else { throw SpoolFileProblem("left a file that shrinks while it is read") }
                initialized += read
            }
        }
    }
}

/// What is wrong with a file of a plugin; completes "plugin … ".
struct SpoolFileProblem: Error, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
