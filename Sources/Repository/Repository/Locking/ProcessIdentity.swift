import Glibc

/// What proves that a process of this machine is the one that was meant: its id alone is reused.
package struct ProcessIdentity: Sendable, Hashable {
    package let pid: Int64
    /// Clock ticks after boot (`/proc/PID/stat`, field 22; proc(5)).
    package let start: Int64
    /// `/proc/sys/kernel/random/boot_id`.
    package let bootID: String

    /// This process; nil where /proc is not mounted.
    package static func current() -> ProcessIdentity? { of(pid: Int64(getpid())) }

    /// A running process; nil when there is none of that id.
    package static func of(pid: Int64) -> ProcessIdentity? {
        guard let bootID = readSmallFile("/proc/sys/kernel/random/boot_id")?.split(separator: "\n").first,
            let stat = readSmallFile("/proc/\(pid)/stat"),
            // The name of the program may hold spaces and parentheses: fields are counted after the last one.
            let close = stat.lastIndex(of: ")")
        else { return nil }
        let fields = stat[stat.index(after: close)...].split(separator: " ")
        // Field 3 is the first behind the name.
        guard fields.count > 19, let start = Int64(fields[19]) else { return nil }
        return ProcessIdentity(pid: pid, start: start, bootID: String(bootID))
    }
}
