import CLinux
import Glibc
import RepositoryFormat
import Synchronization

/// Sets owner, mode, extended attributes and times of what was restored.
///
/// Without root some of it is refused; each kind of refusal is told once with its first path, and counted.
final class MetadataWriter: Sendable {
    private let refused = Mutex<[String: (first: String, count: Int)]>([:])
    private let isRoot = geteuid() == 0

    /// Sets everything on the entry itself, never on what a link points at. The order matters: chown(2) clears
    /// set-user-id bits and capabilities; an ACL changes the mode; and who may not write a file may not give it
    /// attributes either (xattr(7)), so that the mode comes after them.
    func apply(_ node: TreeNode, path: UnsafePointer<CChar>) {
        let isOwned = lchown(path, node.uid, node.gid) == 0
        if !isOwned { refuse("owner", path, errno) }
        applyAttributes(node, path: path)
        if node.kind != .symlink, chmod(path, Self.permissions(node, isOwned: isOwned)) != 0 {
            refuse("mode", path, errno)
        }
        let times = [Self.timespec(node.accessed), Self.timespec(node.modified)]
        if utimensat(AT_FDCWD, path, times, CLINUX_AT_SYMLINK_NOFOLLOW) != 0 { refuse("time", path, errno) }
    }

    /// The same for a regular file that is open: no path is looked up again.
    func apply(_ node: TreeNode, descriptor: Int32, path: UnsafePointer<CChar>) {
        let isOwned = fchown(descriptor, node.uid, node.gid) == 0
        if !isOwned { refuse("owner", path, errno) }
        if !node.extendedAttributes.isEmpty { applyAttributes(node, path: path) }
        if fchmod(descriptor, Self.permissions(node, isOwned: isOwned)) != 0 { refuse("mode", path, errno) }
        let times = [Self.timespec(node.accessed), Self.timespec(node.modified)]
        if futimens(descriptor, times) != 0 { refuse("time", path, errno) }
    }

    /// A program that ran as its owner must not run as whoever restores it: without the owner, no set-user-id and
    /// set-group-id bits.
    private static func permissions(_ node: TreeNode, isOwned: Bool) -> UInt32 {
        let mode = GoFileMode.permissions(node.mode)
        return isOwned || node.kind == .dir ? mode : mode & ~0o6000
    }

    private func applyAttributes(_ node: TreeNode, path: UnsafePointer<CChar>) {
        for attribute in node.extendedAttributes {
            let result = attribute.name.withTerminator { name in
                clinux_lsetxattr(path, name, attribute.value, attribute.value.count)
            }
            if result != 0 {
                refuse("extended attribute " + String(decoding: attribute.name, as: UTF8.self), path, errno)
            }
        }
    }

    private static func timespec(_ time: Timestamp) -> timespec {
        Glibc.timespec(tv_sec: Int(time.seconds), tv_nsec: Int(time.nanoseconds))
    }

    private func refuse(_ what: String, _ path: UnsafePointer<CChar>, _ code: Int32) {
        let key = "The \(what) cannot be set: \(systemMessage(code))"
        refused.withLock { refused in
            let first = refused[key]?.first ?? String(cString: path)
            refused[key] = (first, (refused[key]?.count ?? 0) + 1)
        }
    }

    /// What was refused: a sentence and the first path for each kind.
    var refusals: [(path: String, message: String)] {
        refused.withLock { refused in
            refused.sorted { $0.key < $1.key }.map { key, value in
                (value.first, value.count == 1 ? key + "." : key + " (and \(value.count - 1) more like this).")
            }
        }
    }
}
