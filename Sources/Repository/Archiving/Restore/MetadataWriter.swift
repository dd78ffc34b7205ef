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
    /// set-user-id bits and capabilities, and an ACL changes the mode.
    func apply(_ node: TreeNode, path: UnsafePointer<CChar>) {
        if lchown(path, node.uid, node.gid) != 0 { refuse("owner", path, errno) }
        if node.kind != .symlink, chmod(path, GoFileMode.permissions(node.mode)) != 0 { refuse("mode", path, errno) }
        applyAttributes(node, path: path)
        let times = [Self.timespec(node.accessed), Self.timespec(node.modified)]
        if utimensat(AT_FDCWD, path, times, CLINUX_AT_SYMLINK_NOFOLLOW) != 0 { refuse("time", path, errno) }
    }

    /// The same for a regular file that is open: no path is looked up again.
    func apply(_ node: TreeNode, descriptor: Int32, path: UnsafePointer<CChar>) {
        if fchown(descriptor, node.uid, node.gid) != 0 { refuse("owner", path, errno) }
        if fchmod(descriptor, GoFileMode.permissions(node.mode)) != 0 { refuse("mode", path, errno) }
        if !node.extendedAttributes.isEmpty { applyAttributes(node, path: path) }
        let times = [Self.timespec(node.accessed), Self.timespec(node.modified)]
        if futimens(descriptor, times) != 0 { refuse("time", path, errno) }
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
