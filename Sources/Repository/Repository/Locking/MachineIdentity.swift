import CLinux
import Glibc
import RepositoryFormat

/// What tells one machine, one boot of it and one set of process ids from another.
package struct MachineIdentity: Sendable, Hashable {
    /// `/proc/sys/kernel/random/boot_id` (random(4)): another after each start of the kernel; containers share it.
    package let bootID: String
    /// The number in `/proc/self/ns/pid` (pid_namespaces(7)): numbers of processes mean something within it only.
    package let processNamespace: Int64
    /// 32 digits of the SHA-256 of `/etc/machine-id`, which itself must not be told (machine-id(5)); nil without one.
    package let machine: String?
    /// When the kernel started, in seconds after the epoch (`btime` of /proc/stat, proc(5)).
    package let bootSeconds: Int64

    package init(bootID: String, processNamespace: Int64, machine: String?, bootSeconds: Int64) {
        self.bootID = bootID
        self.processNamespace = processNamespace
        self.machine = machine
        self.bootSeconds = bootSeconds
    }

    /// This machine; nil where /proc is not mounted.
    package static let current: MachineIdentity? = {
        var link = [CChar](repeating: 0, count: 64)
        // Reads "pid:[4026531836]".
        let count = readlink("/proc/self/ns/pid", &link, link.count)
        guard count > 0,
            let space = Int64(
                String(
                    decoding: link[0..<count].map { UInt8(bitPattern: $0) }.filter { 0x30...0x39 ~= $0 }, as: UTF8.self)
            ),
            let bootID = readSmallFile("/proc/sys/kernel/random/boot_id")?.split(separator: "\n").first,
            let boot = readSmallFile("/proc/stat")?.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let bootSeconds = Int64(boot.dropFirst(6))
        else { return nil }
        let machine = readSmallFile("/etc/machine-id")?.split(separator: "\n").first.map { name in
            String(ObjectID(hashing: Array("stillpoint lock ".utf8) + Array(name.utf8)).hexadecimal.prefix(32))
        }
        return MachineIdentity(
            bootID: String(bootID), processNamespace: space, machine: machine,
            bootSeconds: bootSeconds)
    }()
}

/// The text of a file of the kernel or of one that is as small; nil when it cannot be read or is longer than 1 MiB.
func readSmallFile(_ path: String) -> String? {
    let descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 16384)
    while bytes.count <= 1 << 20 {
        let count = read(descriptor, &part, part.count)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { return nil }
        if count == 0 { return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self) }
        bytes.append(contentsOf: part[0..<count])
    }
    return nil
}
