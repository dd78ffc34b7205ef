import CLinux
import Glibc
import RepositoryFormat

/// What an entry has beside its content: all that is kept of a node until it is in place.
struct EntryAttributes: Sendable {
    let kind: TreeNode.Kind
    /// The bits that chmod(2) takes.
    let permissions: UInt32
    let owner: Owner
    let accessed: timespec
    let modified: timespec
    let extended: [TreeNode.ExtendedAttribute]

    init(_ node: TreeNode) {
        kind = node.kind
        permissions = GoFileMode.permissions(node.mode)
        owner = Owner(user: node.uid, group: node.gid)
        accessed = Self.timespec(node.accessed)
        modified = Self.timespec(node.modified)
        extended = node.extendedAttributes
    }

    private static func timespec(_ time: Timestamp) -> timespec {
        Glibc.timespec(tv_sec: Int(time.seconds), tv_nsec: Int(time.nanoseconds))
    }
}

/// A user and a group by number.
struct Owner: Sendable, Equatable {
    let user: UInt32
    let group: UInt32
}

/// What is known of an entry that was made a moment ago; what is not known is set.
struct FreshEntry {
    /// Who it belongs to.
    var owner: Owner?
    /// Its permissions.
    var permissions: UInt32?
    /// It may have got an access list from the directory that it was made in.
    var mayInherit = false
}
