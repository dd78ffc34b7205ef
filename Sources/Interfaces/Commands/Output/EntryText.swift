import JSON
import RepositoryFormat
import SnapshotModel

/// An entry of a snapshot, for people and for programs.
struct EntryText {
    private let node: TreeNode
    private let path: [UInt8]

    /// - Parameter path: absolute within the snapshot.
    init(_ node: TreeNode, path: [UInt8]) {
        self.node = node
        self.path = path
    }

    /// The path, with a slash behind a directory.
    var name: String { String(decoding: path, as: UTF8.self) + (node.kind == .dir ? "/" : "") }

    /// "-rw-r--r--  root:root        1204  2026-01-31 12:00:00Z  /etc/passwd", `prefix` before the path.
    func line(humanReadable: Bool, prefix: String = "") -> String {
        let size = humanReadable ? Units.bytes(Int64(clamping: node.size)) : String(node.size)
        let owner = "\(Self.owner(node.user, node.uid)):\(Self.owner(node.group, node.gid))"
        let target = node.kind == .symlink ? " -> " + String(decoding: node.linkTarget, as: UTF8.self) : ""
        let moment = Units.moment(Moment(milliseconds: node.modified.milliseconds))
        let ownerRoom = String(repeating: " ", count: max(0, 9 - owner.count))
        let sizeRoom = String(repeating: " ", count: max(0, 12 - size.count))
        let path = String(decoding: path, as: UTF8.self)
        return "\(modeText)  \(owner)\(ownerRoom)  \(sizeRoom)\(size)  \(moment)  \(prefix)\(path)\(target)"
    }

    private static func owner(_ name: [UInt8], _ id: UInt32) -> String {
        name.isEmpty ? String(id) : String(decoding: name, as: UTF8.self)
    }

    /// As ls(1) shows type and mode: "drwxr-xr-x".
    var modeText: String {
        let type: Character =
            switch node.kind {
            case .dir: "d"
            case .symlink: "l"
            case .dev: "b"
            case .chardev: "c"
            case .fifo: "p"
            case .socket: "s"
            default: "-"
            }
        let mode = GoFileMode.permissions(node.mode)
        var text = [type]
        for (shift, special, letter) in [(6, 0o4000, "s"), (3, 0o2000, "s"), (0, 0o1000, "t")]
            as [(UInt32, UInt32, Character)]
        {
            let bits = mode >> shift
            text.append(bits & 4 != 0 ? "r" : "-")
            text.append(bits & 2 != 0 ? "w" : "-")
            let isExecutable = bits & 1 != 0
            if mode & special != 0 {
                text.append(isExecutable ? letter : Character(letter.uppercased()))
            } else {
                text.append(isExecutable ? "x" : "-")
            }
        }
        return String(text)
    }

    /// The members that `ls --json` and `find --json` share; documented in docs/guide/browse.md.
    func json(_ type: String) -> JSONObject {
        var object: JSONObject = ["message_type": .string(type)]
        Self.add(path, as: "path", to: &object)
        object["type"] = .string(node.kind.rawValue)
        object["mode"] = .string(String(GoFileMode.permissions(node.mode), radix: 8))
        object["permissions"] = .string(modeText)
        object["uid"] = .integer(Int64(node.uid))
        object["gid"] = .integer(Int64(node.gid))
        if !node.user.isEmpty { object["user"] = .string(String(decoding: node.user, as: UTF8.self)) }
        if !node.group.isEmpty { object["group"] = .string(String(decoding: node.group, as: UTF8.self)) }
        object["size"] = .integer(Int64(clamping: node.size))
        object["mtime"] = .string(node.modified.text)
        object["ctime"] = .string(node.changed.text)
        if node.inode != 0 { object["inode"] = .integer(Int64(clamping: node.inode)) }
        if node.links > 0 { object["links"] = .integer(Int64(clamping: node.links)) }
        if node.kind == .symlink { Self.add(node.linkTarget, as: "linktarget", to: &object) }
        return object
    }

    /// Adds bytes as text; those that are not UTF-8 stand as they are in `NAME_base64`, too.
    static func add(_ bytes: [UInt8], as name: String, to object: inout JSONObject) {
        let text = String(decoding: bytes, as: UTF8.self)
        object[name] = .string(text)
        if !text.utf8.elementsEqual(bytes) {
            object[name + "_base64"] = .string(String(decoding: Base64.encoded(bytes), as: UTF8.self))
        }
    }
}
