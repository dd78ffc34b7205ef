/// What a look at an entry tells of it without opening it, as a node has it: the members of ``TreeNode`` of these names.
package struct NodeFacts: Sendable, Hashable {
    package var kind: TreeNode.Kind
    package var mode: UInt32
    package var modified: Timestamp
    package var accessed: Timestamp
    package var changed: Timestamp
    package var uid: UInt32
    package var gid: UInt32
    package var user: [UInt8]
    package var group: [UInt8]
    package var inode: UInt64
    package var deviceID: UInt64
    package var size: UInt64
    package var links: UInt64

    package init(
        kind: TreeNode.Kind, mode: UInt32, modified: Timestamp, accessed: Timestamp, changed: Timestamp, uid: UInt32,
        gid: UInt32, user: [UInt8], group: [UInt8], inode: UInt64, deviceID: UInt64, size: UInt64, links: UInt64
    ) {
        self.kind = kind
        self.mode = mode
        self.modified = modified
        self.accessed = accessed
        self.changed = changed
        self.uid = uid
        self.gid = gid
        self.user = user
        self.group = group
        self.inode = inode
        self.deviceID = deviceID
        self.size = size
        self.links = links
    }
}

extension TreeNode {
    /// The part that a look at the entry tells.
    package var facts: NodeFacts {
        NodeFacts(
            kind: kind, mode: mode, modified: modified, accessed: accessed, changed: changed, uid: uid, gid: gid,
            user: user, group: group, inode: inode, deviceID: deviceID, size: size, links: links)
    }

    /// True when a look at the entry tells the same of both, which then have the same attributes.
    package func hasFacts(of other: TreeNode) -> Bool {
        facts == other.facts && device == other.device && other.error.isEmpty
    }

    /// A node of these facts, without content, link target and attributes.
    package init(name: [UInt8], _ facts: NodeFacts) {
        self.init(
            name: name, kind: facts.kind, modified: facts.modified, accessed: facts.accessed, changed: facts.changed)
        mode = facts.mode
        uid = facts.uid
        gid = facts.gid
        user = facts.user
        group = facts.group
        inode = facts.inode
        deviceID = facts.deviceID
        size = facts.size
        links = facts.links
    }
}
