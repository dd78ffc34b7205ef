import CLinux
import Glibc
import RepositoryFormat
import Synchronization

/// Makes nodes from what the system says about entries. One builder serves all threads.
final class NodeBuilder: Sendable {
    private let users = Mutex<[UInt32: [UInt8]]>([:])
    private let groups = Mutex<[UInt32: [UInt8]]>([:])
    private let isUTC: Bool

    init() {
        tzset()
        // With UTC, which servers use, no time needs a look at the table of offsets.
        var probes = [time_t(0), 1_720_000_000, 1_735_000_000].map { moment -> Int in
            var moment = moment
            var parts = tm()
            localtime_r(&moment, &parts)
            return parts.tm_gmtoff
        }
        probes.removeAll { $0 == 0 }
        isUTC = probes.isEmpty
    }

    /// What a look at an entry tells; nil for kinds that no tree has.
    func facts(_ stat: clinux_stat) -> NodeFacts? {
        guard let kind = Self.kind(stat.mode) else { return nil }
        let modified = timestamp(stat.mtime_seconds, stat.mtime_nanoseconds)
        let hasLinks =
            switch kind {
            case .file, .symlink, .dev, .chardev: true
            default: false
            }
        // The access time is the one of modification, as restic does unless asked: reading must not change trees.
        return NodeFacts(
            kind: kind, mode: GoFileMode.encoded(stat.mode), modified: modified, accessed: modified,
            changed: timestamp(stat.ctime_seconds, stat.ctime_nanoseconds), uid: stat.uid, gid: stat.gid,
            user: userName(stat.uid), group: groupName(stat.gid), inode: stat.inode, deviceID: stat.device,
            size: kind == .file ? stat.size : 0, links: hasLinks ? stat.links : 0)
    }

    /// The node of an entry, still without content, link target and extended attributes.
    func node(name: [UInt8], _ stat: clinux_stat) -> TreeNode? {
        facts(stat).map { node(name: name, stat, $0) }
    }

    /// The node of an entry whose facts are known.
    func node(name: [UInt8], _ stat: clinux_stat, _ facts: NodeFacts) -> TreeNode {
        var node = TreeNode(name: name, facts)
        if facts.kind == .dev || facts.kind == .chardev { node.device = stat.special_device }
        return node
    }

    private static func kind(_ mode: UInt32) -> TreeNode.Kind? {
        switch mode & 0o170000 {
        case 0o100000: .file
        case 0o040000: .dir
        case 0o120000: .symlink
        case 0o060000: .dev
        case 0o020000: .chardev
        case 0o010000: .fifo
        case 0o140000: .socket
        default: nil
        }
    }

    /// A time with the offset that the clock on the wall had then.
    func timestamp(_ seconds: Int64, _ nanoseconds: UInt32) -> Timestamp {
        guard !isUTC else { return Timestamp(seconds: seconds, nanoseconds: nanoseconds) }
        var moment = time_t(seconds)
        var parts = tm()
        localtime_r(&moment, &parts)
        return Timestamp(
            seconds: seconds, nanoseconds: nanoseconds, offsetMinutes: Int16(clamping: parts.tm_gmtoff / 60))
    }

    /// The present moment.
    func now() -> Timestamp {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return timestamp(Int64(now.tv_sec), UInt32(clamping: now.tv_nsec))
    }

    private func userName(_ uid: UInt32) -> [UInt8] {
        users.withLock { names in
            if let name = names[uid] { return name }
            var entry = passwd()
            var result: UnsafeMutablePointer<passwd>?
            var buffer = [CChar](repeating: 0, count: 16384)
            let found = getpwuid_r(uid, &entry, &buffer, buffer.count, &result) == 0 && result != nil
            let name = found ? Self.bytes(entry.pw_name) : []
            names[uid] = name
            return name
        }
    }

    private func groupName(_ gid: UInt32) -> [UInt8] {
        groups.withLock { names in
            if let name = names[gid] { return name }
            var entry = group()
            var result: UnsafeMutablePointer<group>?
            var buffer = [CChar](repeating: 0, count: 65536)
            let found = getgrgid_r(gid, &entry, &buffer, buffer.count, &result) == 0 && result != nil
            let name = found ? Self.bytes(entry.gr_name) : []
            names[gid] = name
            return name
        }
    }

    private static func bytes(_ text: UnsafePointer<CChar>?) -> [UInt8] {
        guard let text else { return [] }
        return Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
    }

    /// The extended attributes of an entry itself, in the system's order as restic keeps them.
    ///
    /// - Parameters:
    ///   - entry: a name in `directory`, or `.` for the directory.
    ///   - directory: a descriptor.
    /// - Returns: what could be read, and the error number and attribute of what could not.
    func extendedAttributes(
        _ entry: [UInt8], in directory: Int32
    ) -> (attributes: [TreeNode.ExtendedAttribute], failure: (errno: Int32, name: String)?) {
        entry.withTerminator { extendedAttributes($0, directory) }
    }

    private func extendedAttributes(
        _ entry: UnsafePointer<CChar>, _ directory: Int32
    ) -> (attributes: [TreeNode.ExtendedAttribute], failure: (errno: Int32, name: String)?) {
        var size = clinux_listxattrat(directory, entry, nil, 0)
        guard size != 0 else { return ([], nil) }
        var list: [CChar] = []
        while size > 0 {
            list = [CChar](repeating: 0, count: size)
            size = clinux_listxattrat(directory, entry, &list, list.count)
            if size >= 0 { break }
            guard errno == ERANGE else { break }
            size = clinux_listxattrat(directory, entry, nil, 0)
        }
        guard size > 0 else {
            // An entry that vanished is told of by who reads it.
            let isQuiet = size == 0 || errno == ENOTSUP || errno == EOPNOTSUPP || errno == ENOENT
            return ([], isQuiet ? nil : (errno, "the list of attributes"))
        }
        var attributes: [TreeNode.ExtendedAttribute] = []
        var failure: (errno: Int32, name: String)?
        for name in list[0..<size].split(separator: 0) {
            var value = [UInt8](repeating: 0, count: 256)
            let terminated = Array(name) + [0]
            var length = clinux_getxattrat(directory, entry, terminated, &value, value.count)
            if length < 0, errno == ERANGE {
                // The largest value that Linux allows (xattr(7)).
                value = [UInt8](repeating: 0, count: 65536)
                length = clinux_getxattrat(directory, entry, terminated, &value, value.count)
            }
            let nameBytes = name.map { UInt8(bitPattern: $0) }
            guard length >= 0 else {
                if errno != ENODATA, errno != ENOENT { failure = (errno, String(decoding: nameBytes, as: UTF8.self)) }
                continue
            }
            attributes.append(.init(name: nameBytes, value: Array(value[0..<length])))
        }
        return (attributes, failure)
    }
}
