import Archiving
import CLinux
import Glibc
import HostServices
import SnapshotModel

/// Where a command writes bytes: standard output, or a file that appears whole or not at all.
final class ByteOutput {
    private let descriptor: Int32
    /// What people call it.
    private let name: String
    /// The name that the file gets in the end and the one that it has until then; nil for what is written in place.
    private let places: (final: String, temporary: String)?

    /// - Parameter path: nil for standard output. What is there already is replaced in the end, if it is a file; devices
    ///   and pipes are written to.
    /// - Throws: ``CommandExit`` when the file cannot be made.
    init(path: String?) throws {
        guard let path else {
            (descriptor, name, places) = (1, "Standard output", nil)
            return
        }
        name = path
        var target = path
        if let real = realpath(path, nil) {
            target = String(cString: real)
            free(real)
            var info = clinux_stat()
            let isThere = clinux_lstatat(AT_FDCWD, target, &info) == 0
            guard isThere, info.mode & 0o170000 != 0o040000 else {
                throw CommandExit(code: .usage, message: "\(path) is a directory; name a file.")
            }
            if info.mode & 0o170000 != 0o100000 {
                descriptor = clinux_open(target, O_WRONLY | O_CLOEXEC, 0)
                places = nil
                if descriptor < 0 { throw Self.failure(path, errno) }
                return
            }
        }
        let slash = target.lastIndex(of: "/").map { target.index(after: $0) } ?? target.startIndex
        let temporary = "\(target[..<slash]).\(target[slash...].prefix(200)).\(getpid()).part"
        // What is in a snapshot may be secret; whoever wants others to read it says so.
        descriptor = clinux_open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | CLINUX_O_NOFOLLOW, 0o600)
        places = (target, temporary)
        if descriptor < 0 { throw Self.failure(path, errno) }
    }

    /// True when bytes would end up on somebody's screen.
    var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Writes all of it.
    ///
    /// - Throws: ``CommandExit``: `noSpace` for a full disk.
    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var position = 0
        while position < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + position }, bytes.count - position)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure(name, errno) }
            position += count
        }
    }

    /// Gives the file its name.
    func commit() throws {
        guard let places else { return }
        guard fsync(descriptor) == 0, rename(places.temporary, places.final) == 0 else {
            throw Self.failure(name, errno)
        }
        close(descriptor)
        let folder = places.final.lastIndex(of: "/").map { String(places.final[...$0]) } ?? "."
        FileTree.synchronize(folder)
    }

    /// Leaves no trace of a file that is not complete.
    func abandon() {
        guard let places else { return }
        close(descriptor)
        unlink(places.temporary)
    }

    private static func failure(_ name: String, _ code: Int32) -> CommandExit {
        if code == EPIPE {
            return CommandExit(code: .failed, message: "Whoever was reading the output went away before its end.")
        }
        let reason = String(cString: strerror(code))
        return CommandExit(
            code: code == ENOSPC || code == EDQUOT ? .noSpace : .failed,
            message: "\(name) cannot be written: \(reason).")
    }
}
