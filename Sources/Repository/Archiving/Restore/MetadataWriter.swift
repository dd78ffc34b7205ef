import CLinux
import Glibc
import RepositoryFormat
import Synchronization

/// Sets owner, mode, extended attributes and times of what was restored, as far as it does not have them already.
///
/// The order matters: chown(2) clears set-user-id bits and capabilities; an ACL changes the mode; and who may not write a
/// file may not give it attributes either (xattr(7)), so that the mode comes after them.
///
/// Without root some of it is refused; each kind of refusal is told once with its first path, and counted.
final class MetadataWriter: Sendable {
    private let refused = Mutex<[String: (first: [UInt8], count: Int)]>([:])

    /// Sets everything on an open file or directory.
    func apply(
        _ attributes: EntryAttributes, to descriptor: Int32, _ fresh: FreshEntry, path: @autoclosure () -> [UInt8]
    ) {
        var isOwned = true
        if fresh.owner != attributes.owner, fchown(descriptor, attributes.owner.user, attributes.owner.group) != 0 {
            isOwned = false
            refuse("owner", path(), errno)
        }
        if fresh.mayInherit { removeAccessLists(descriptor, except: attributes.extended) }
        for attribute in attributes.extended {
            let result = attribute.name.withTerminator { name in
                clinux_fsetxattr(descriptor, name, attribute.value, attribute.value.count)
            }
            if result != 0 { refuse(attribute, path(), errno) }
        }
        let permissions = Self.permissions(attributes, isOwned: isOwned)
        // An ACL among the attributes changed the mode.
        if fresh.permissions != permissions || !attributes.extended.isEmpty, fchmod(descriptor, permissions) != 0 {
            refuse("mode", path(), errno)
        }
        let times = [attributes.accessed, attributes.modified]
        if futimens(descriptor, times) != 0 { refuse("time", path(), errno) }
    }

    /// Sets everything on an entry of a directory, never on what a link points at.
    ///
    /// - Parameter isPrivate: nobody else can put another entry in the place of this one.
    func apply(
        _ attributes: EntryAttributes, to name: [UInt8], in directory: DirectoryHandle, _ fresh: FreshEntry,
        isPrivate: Bool
    ) {
        name.withTerminator { text in
            let at = directory.descriptor
            func path() -> [UInt8] { directory.childPath(name) }
            var isOwned = true
            if fresh.owner != attributes.owner,
                fchownat(at, text, attributes.owner.user, attributes.owner.group, CLINUX_AT_SYMLINK_NOFOLLOW) != 0
            {
                isOwned = false
                refuse("owner", path(), errno)
            }
            for attribute in attributes.extended {
                let result = attribute.name.withTerminator { name in
                    clinux_setxattrat(at, text, name, attribute.value, attribute.value.count)
                }
                if result != 0 { refuse(attribute, path(), errno) }
            }
            if attributes.kind != .symlink {
                let permissions = Self.permissions(attributes, isOwned: isOwned)
                if fresh.permissions != permissions || !attributes.extended.isEmpty {
                    // The safe way costs four calls, some of them by way of /proc.
                    let result =
                        isPrivate ? fchmodat(at, text, permissions, 0) : clinux_lchmodat(at, text, permissions)
                    if result != 0 { refuse("mode", path(), errno) }
                }
            }
            let times = [attributes.accessed, attributes.modified]
            if utimensat(at, text, times, CLINUX_AT_SYMLINK_NOFOLLOW) != 0 { refuse("time", path(), errno) }
        }
    }

    /// Removes the access lists that a new entry got from the directory above it (acl(5), "Object creation and default
    /// ACLs"), unless it is to have one of its own.
    func removeAccessLists(_ descriptor: Int32, except wanted: [TreeNode.ExtendedAttribute]) {
        for name in ["system.posix_acl_access", "system.posix_acl_default"]
        where !wanted.contains(where: { $0.name == Array(name.utf8) }) {
            // Most have none, and many file systems know none.
            _ = clinux_fremovexattr(descriptor, name)
        }
    }

    /// A program that ran as its owner must not run as whoever restores it: without the owner, no set-user-id and
    /// set-group-id bits.
    private static func permissions(_ attributes: EntryAttributes, isOwned: Bool) -> UInt32 {
        isOwned || attributes.kind == .dir ? attributes.permissions : attributes.permissions & ~0o6000
    }

    private func refuse(_ attribute: TreeNode.ExtendedAttribute, _ path: [UInt8], _ code: Int32) {
        refuse("extended attribute " + String(decoding: attribute.name, as: UTF8.self), path, code)
    }

    private func refuse(_ what: String, _ path: [UInt8], _ code: Int32) {
        let key = "The \(what) cannot be set: \(systemMessage(code))"
        refused.withLock { refused in
            let first = refused[key]?.first ?? path
            refused[key] = (first, (refused[key]?.count ?? 0) + 1)
        }
    }

    /// What was refused since the last call: a sentence and the first path for each kind.
    func takeRefusals() -> [(path: [UInt8], message: String)] {
        refused.withLock { refused in
            defer { refused = [:] }
            return refused.sorted { $0.key < $1.key }.map { key, value in
                (value.first, value.count == 1 ? key + "." : key + " (and \(value.count - 1) more like this).")
            }
        }
    }
}
