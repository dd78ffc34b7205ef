/// A file, directory or other entry of a tree: restic's design, section "Trees and Data".
package struct TreeNode: Sendable, Hashable {
    /// What the entry is, as the format names it.
    package enum Kind: String, Sendable, Hashable {
        case file, dir, symlink, dev, chardev, fifo, socket, irregular

        /// The name as it is written.
        var text: StaticString {
            switch self {
            case .file: "file"
            case .dir: "dir"
            case .symlink: "symlink"
            case .dev: "dev"
            case .chardev: "chardev"
            case .fifo: "fifo"
            case .socket: "socket"
            case .irregular: "irregular"
            }
        }
    }

    /// A name and a value, e.g. `user.comment` or a POSIX ACL.
    package struct ExtendedAttribute: Sendable, Hashable {
        package var name: [UInt8]
        package var value: [UInt8]
        package init(name: [UInt8], value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    /// The name as the file system has it; any bytes but `/` and NUL.
    package var name: [UInt8]
    package var kind: Kind
    /// The type of an entry that this program does not know, as the tree has it; its ``kind`` is `irregular`. Empty for
    /// all others.
    package var unknownKind: [UInt8] = []
    /// Go's `fs.FileMode`, see ``GoFileMode``; 0 is left out.
    package var mode: UInt32 = 0
    package var modified: Timestamp
    /// restic stores the time of modification here unless asked for more, and so do we.
    package var accessed: Timestamp
    package var changed: Timestamp
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    /// Name of the owner; empty when the system knows none.
    package var user: [UInt8] = []
    package var group: [UInt8] = []
    package var inode: UInt64 = 0
    /// `st_dev` of the file; with ``inode`` it tells hard links.
    package var deviceID: UInt64 = 0
    /// Bytes of a file's content; 0 for others.
    package var size: UInt64 = 0
    /// Hard links; 0 for directories, FIFOs and sockets.
    package var links: UInt64 = 0
    /// What a symbolic link points at.
    package var linkTarget: [UInt8] = []
    package var extendedAttributes: [ExtendedAttribute] = []
    /// The raw JSON of attributes of other systems; kept as it is.
    package var genericAttributes: [UInt8] = []
    /// `st_rdev` of a device node.
    package var device: UInt64 = 0
    /// The blobs of a file in order; nil for others. An empty file has none.
    package var content: [ObjectID]?
    /// The tree of a directory.
    package var subtree: ObjectID?
    /// What went wrong when the entry was read, empty when nothing did.
    package var error: [UInt8] = []

    package init(name: [UInt8], kind: Kind, modified: Timestamp, accessed: Timestamp, changed: Timestamp) {
        self.name = name
        self.kind = kind
        self.modified = modified
        self.accessed = accessed
        self.changed = changed
    }
}

/// Bits of Go's `fs.FileMode` (package io/fs), which trees store.
package enum GoFileMode {
    package static let directory: UInt32 = 1 << 31
    package static let symlink: UInt32 = 1 << 27
    package static let device: UInt32 = 1 << 26
    package static let namedPipe: UInt32 = 1 << 25
    package static let socket: UInt32 = 1 << 24
    package static let setuid: UInt32 = 1 << 23
    package static let setgid: UInt32 = 1 << 22
    package static let characterDevice: UInt32 = 1 << 21
    package static let sticky: UInt32 = 1 << 20

    /// From `st_mode` (stat(2)).
    package static func encoded(_ mode: UInt32) -> UInt32 {
        var result = mode & 0o777
        if mode & 0o4000 != 0 { result |= setuid }
        if mode & 0o2000 != 0 { result |= setgid }
        if mode & 0o1000 != 0 { result |= sticky }
        switch mode & 0o170000 {
        case 0o040000: result |= directory
        case 0o120000: result |= symlink
        case 0o060000: result |= device
        case 0o020000: result |= device | characterDevice
        case 0o010000: result |= namedPipe
        case 0o140000: result |= socket
        default: break
        }
        return result
    }

    /// The permission bits (0o7777) for chmod(2).
    package static func permissions(_ mode: UInt32) -> UInt32 {
        var result = mode & 0o777
        if mode & setuid != 0 { result |= 0o4000 }
        if mode & setgid != 0 { result |= 0o2000 }
        if mode & sticky != 0 { result |= 0o1000 }
        return result
    }
}
