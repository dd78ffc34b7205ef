import CLinux
import Glibc

/// Tells a process from a later one with the same id.
enum ProcessIdentity {
    /// When a process started, in clock ticks since boot; nil when there is none.
    ///
    /// Source: proc(5), /proc/pid/stat, field 22. The command name before it may hold spaces and parentheses, so
    /// fields are counted after the last `)`.
    static func startTime(of pid: pid_t) -> UInt64? {
        // The first field after the name is number 3.
        guard let fields = fieldsAfterName(of: pid), fields.count > 19 else { return nil }
        return UInt64(fields[19])
    }

    /// Whether a process has ended and only waits to be reaped, or is gone.
    static func hasEnded(_ pid: pid_t) -> Bool {
        guard let state = fieldsAfterName(of: pid)?.first else { return true }
        return state == "Z" || state == "X"
    }

    private static func fieldsAfterName(of pid: pid_t) -> [Substring]? {
        guard let text = readSmallFile("/proc/\(pid)/stat"), let close = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: close)...].split(separator: " ")
    }

    /// Differs after each boot; empty when unknown. Source: random(4), boot_id.
    static func bootIdentifier() -> String {
        let text = readSmallFile("/proc/sys/kernel/random/boot_id") ?? ""
        return String(text.prefix { $0 != "\n" })
    }

    /// The name of this machine; empty when unknown. Source: uname(2), nodename.
    static func hostName() -> String {
        var name = utsname()
        guard uname(&name) == 0 else { return "" }
        return withUnsafeBytes(of: &name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private static func readSmallFile(_ path: String) -> String? {
        // A missing file is the answer "no such process", not a failure.
        guard let file = try? OwnedDescriptor.open(path, O_RDONLY) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(file.number, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
