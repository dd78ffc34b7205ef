package import Glibc

/// The processes of this machine, from /proc.
package enum ProcessTable {
    /// Whether a process of the group is there that has not ended; one that only waits to be reaped has.
    package static func hasLivingMember(group: pid_t) -> Bool {
        // The usual case: nobody at all.
        if kill(-group, 0) != 0 { return false }
        guard let handle = opendir("/proc") else { return false }
        defer { closedir(handle) }
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let pid = pid_t(name), let fields = statusFields(of: pid), fields.count > 2 else { continue }
            if fields[2] == String(group), fields[0] != "Z", fields[0] != "X" { return true }
        }
        return false
    }

    /// Whether the process is there and has not ended.
    package static func isLiving(_ pid: pid_t) -> Bool {
        guard let state = statusFields(of: pid)?.first else { return false }
        return state != "Z" && state != "X"
    }

    /// When the process started, in clock ticks since boot; nil when there is none. Source: proc(5), field 22.
    package static func startTime(of pid: pid_t) -> UInt64? {
        guard let fields = statusFields(of: pid), fields.count > 19 else { return nil }
        return UInt64(fields[19])
    }

    /// State, parent, group, … of a process. Source: proc(5), /proc/pid/stat, fields 3 and on.
    private static func statusFields(of pid: pid_t) -> [Substring]? {
        guard let file = fopen("/proc/\(pid)/stat", "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        let text = String(decoding: bytes[..<count], as: UTF8.self)
        guard let close = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: close)...].split(separator: " ")
    }
}
