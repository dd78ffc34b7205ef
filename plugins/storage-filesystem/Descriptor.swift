import CLinux
import Glibc
import PluginKit

/// A file descriptor that is closed when its one owner lets go.
struct Descriptor: ~Copyable {
    let number: Int32

    /// Takes over `number`.
    init(_ number: Int32) { self.number = number }

    deinit { close(number) }

    /// openat(2), close-on-exec and never through a symbolic link at the end.
    ///
    /// - Returns: nil when there is no such file.
    /// - Throws: `PluginFailure` for every other error; `name` is what it is called in the message.
    static func open(
        _ path: String, in directory: Int32 = AT_FDCWD, flags: Int32, mode: mode_t = 0, naming name: String
    ) throws -> Descriptor? {
        while true {
            let number = clinux_openat(directory, path, flags | O_CLOEXEC | CLINUX_O_NOFOLLOW, mode)
            if number >= 0 { return Descriptor(number) }
            switch errno {
            case EINTR: continue
            case ENOENT: return nil
            case let code: throw PluginFailure.system("open '\(name)'", errno: code)
            }
        }
    }

    /// fstat(2).
    func status(naming name: String) throws -> clinux_stat {
        var status = clinux_stat()
        guard clinux_fstat(number, &status) == 0 else { throw PluginFailure.system("examine '\(name)'", errno: errno) }
        return status
    }

    /// fsync(2). File systems that cannot do it for a directory say EINVAL; there is nothing more to be done there.
    func synchronize(naming name: String) throws {
        while fsync(number) != 0 {
            switch errno {
            case EINTR: continue
            case EINVAL, ENOTSUP: return
            case let code: throw PluginFailure.system("write '\(name)' to the disk", errno: code)
            }
        }
    }
}

extension clinux_stat {
    var isRegularFile: Bool { mode_t(mode) & S_IFMT == S_IFREG }
    var isDirectory: Bool { mode_t(mode) & S_IFMT == S_IFDIR }
    var byteCount: Int64 { Int64(clamping: size) }
    /// Milliseconds since 1970, not before.
    var modifiedMilliseconds: Int64 {
        let (milliseconds, overflow) = mtime_seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? 0 : max(0, milliseconds + Int64(mtime_nanoseconds / 1_000_000))
    }
}
