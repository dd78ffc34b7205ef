import CLinux
import Glibc
import Synchronization

/// Numbers the files of this process in its spools; a name is never used twice.
private let nextSpoolNumber = Atomic<UInt64>(0)

extension ObjectStore {
    /// A path in the spool that no file has.
    package func makeSpoolPath() -> String {
        let number = nextSpoolNumber.wrappingAdd(1, ordering: .relaxed).newValue
        return "\(spoolDirectory)/object-\(getpid())-\(number)"
    }

    /// Writes buffers to a new file in the spool.
    ///
    /// - Throws: ``ObjectStoreError``; nothing is left behind then.
    package func spool(_ parts: [UnsafeRawBufferPointer], sha256: String) throws -> SpooledFile {
        let path = makeSpoolPath()
        let descriptor = clinux_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o400)
        guard descriptor >= 0 else { throw Self.spoolFailure(path, errno) }
        defer { close(descriptor) }
        var total: Int64 = 0
        for part in parts {
            var position = Self.writeDirectly(part, to: descriptor)
            while position < part.count {
                let written = write(descriptor, part.baseAddress.map { $0 + position }, part.count - position)
                if written < 0 {
                    let code = errno
                    if code == EINTR { continue }
                    unlink(path)
                    throw Self.spoolFailure(path, code)
                }
                position += written
            }
            total += Int64(part.count)
        }
        return SpooledFile(path: path, size: total, sha256: sha256)
    }

    /// Writes the whole pages at the start of a large, page-aligned buffer past the page cache, where the file system can.
    ///
    /// What was just captured is not read again soon: caching it would cost a copy and push out what others need.
    ///
    /// - Returns: how much was written: 0 for small or unaligned buffers, and where direct writes are not possible.
    private static func writeDirectly(_ part: UnsafeRawBufferPointer, to descriptor: Int32) -> Int {
        let alignment = 4096
        let whole = part.count & ~(alignment - 1)
        guard whole >= 1 << 20, let base = part.baseAddress, Int(bitPattern: base) % alignment == 0 else { return 0 }
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags | CLINUX_O_DIRECT) == 0 else { return 0 }
        defer { _ = fcntl(descriptor, F_SETFL, flags) }
        var position = 0
        while position < whole {
            let written = write(descriptor, base + position, whole - position)
            if written < 0, errno == EINTR { continue }
            guard written > 0, written % alignment == 0 else { break }
            position += written
        }
        return position
    }

    private static func spoolFailure(_ path: String, _ code: Int32) -> ObjectStoreError {
        let reason = String(cString: strerror(code))
        if code == ENOSPC || code == EDQUOT {
            let folder = path.split(separator: "/").dropLast().joined(separator: "/")
            return ObjectStoreError(
                code: .noSpace,
                message:
                    "There is no space left for new objects in /\(folder); free space on its file system, then try again."
            )
        }
        return ObjectStoreError(
            code: code == EACCES ? .permissionDenied : .unavailable,
            message: "The spool file \(path) cannot be written: \(reason).")
    }

    /// Stores bytes that are at hand: a small object such as a lock or a snapshot.
    package func put(_ bytes: [UInt8], sha256: String, as key: String, ifAbsent: Bool) throws {
        let file = try bytes.withUnsafeBytes { try spool([$0], sha256: sha256) }
        defer { unlink(file.path) }
        try put(file, as: key, ifAbsent: ifAbsent)
    }
}
