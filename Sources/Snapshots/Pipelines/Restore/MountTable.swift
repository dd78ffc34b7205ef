import CLinux
import Glibc

/// Where file systems are mounted, bind mounts included, which the device number of a directory does not show.
///
/// Source: proc(5), `/proc/PID/mountinfo`, field 5, with octal escapes.
struct MountTable {
    /// Absolute paths without symbolic links.
    let points: Set<String>

    /// The mounts that this process sees; none where /proc is not mounted.
    static func current() -> MountTable {
        let descriptor = clinux_open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return MountTable(points: []) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &part, part.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += part[0..<count]
        }
        return MountTable(mountinfo: bytes)
    }

    init(points: Set<String>) { self.points = points }

    init(mountinfo bytes: [UInt8]) {
        points = Set(
            bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
                let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
                return fields.count > 4 ? Self.unescaped(fields[4]) : nil
            })
    }

    /// True when something is mounted at this path.
    func isMountPoint(_ path: String) -> Bool { points.contains(path) }

    /// A mount point within a directory; nil when there is none.
    func firstBelow(_ path: String) -> String? { points.filter { $0.hasPrefix(path + "/") }.min() }

    private static func unescaped(_ field: ArraySlice<UInt8>) -> String {
        var bytes: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (0x30...0x37).contains($0) }) {
                bytes.append(digits.reduce(UInt8(0)) { $0 &* 8 &+ ($1 - 0x30) })
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
