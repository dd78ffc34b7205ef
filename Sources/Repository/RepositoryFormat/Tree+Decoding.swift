/// Tree blobs back into nodes.
package enum TreeDecoding {
    /// The nodes of a tree in their order.
    ///
    /// - Throws: ``FormatError`` for bytes that are no tree, names that are empty, `.`, `..` or contain `/` or NUL, and
    ///   nodes out of order or twice: a restore must never leave its target.
    package static func nodes(_ bytes: UnsafeRawBufferPointer) throws(FormatError) -> [TreeNode] {
        var scanner = ByteScanner(bytes, object: "tree")
        var nodes: [TreeNode] = []
        try scanner.object { (scanner, key) throws(FormatError) in
            guard key.equals("nodes") else { return try scanner.skipValue() }
            guard !scanner.takeNull() else { return }
            try scanner.array { (scanner) throws(FormatError) in
                let node = try node(&scanner)
                if let last = nodes.last, !last.name.lexicographicallyPrecedes(node.name) {
                    throw scanner.failure("nodes are not in order")
                }
                nodes.append(node)
            }
        }
        try scanner.expectEnd()
        return nodes
    }

    /// The nodes of a tree at hand as an array.
    package static func nodes(_ bytes: [UInt8]) throws -> [TreeNode] {
        try bytes.withUnsafeBytes { try nodes($0) }
    }

    private static let epoch = Timestamp(seconds: -62_135_596_800)

    /// The node that comes next.
    static func node(_ scanner: inout ByteScanner) throws(FormatError) -> TreeNode {
        var node = TreeNode(name: [], kind: .irregular, modified: epoch, accessed: epoch, changed: epoch)
        var kind: TreeNode.Kind?
        try scanner.object { (scanner, key) throws(FormatError) in
            try member(key, &scanner, &node, &kind)
        }
        guard let kind else { throw scanner.failure("a node without a type") }
        node.kind = kind
        guard !node.name.isEmpty, node.name != [0x2E], node.name != [0x2E, 0x2E], !node.name.contains(0x2F),
            !node.name.contains(0)
        else { throw scanner.failure("a node with a forbidden name") }
        if kind == .dir, node.subtree == nil, node.error.isEmpty { throw scanner.failure("a directory without a tree") }
        return node
    }

    private static func member(
        _ key: UnsafeRawBufferPointer, _ scanner: inout ByteScanner, _ node: inout TreeNode,
        _ kind: inout TreeNode.Kind?
    ) throws(FormatError) {
        if key.equals("name") {
            guard let name = GoText.unquoted(try scanner.string()) else { throw scanner.failure("a badly quoted name") }
            node.name = name
        } else if key.equals("type") {
            let name = String(decoding: try scanner.plainString(), as: UTF8.self)
            kind = TreeNode.Kind(rawValue: name)
            // A newer program may know more types; its other entries are as good as ever.
            // A member that stands twice counts as it stands last.
            node.unknownKind = []
            if kind == nil, !name.isEmpty { (kind, node.unknownKind) = (.irregular, Array(name.utf8)) }
        } else if key.equals("mode") {
            node.mode = try scanner.integer(UInt32.self)
        } else if key.equals("mtime") {
            node.modified = try time(&scanner)
        } else if key.equals("atime") {
            node.accessed = try time(&scanner)
        } else if key.equals("ctime") {
            node.changed = try time(&scanner)
        } else if key.equals("uid") {
            node.uid = try scanner.integer(UInt32.self)
        } else if key.equals("gid") {
            node.gid = try scanner.integer(UInt32.self)
        } else if key.equals("user") {
            node.user = try scanner.string()
        } else if key.equals("group") {
            node.group = try scanner.string()
        } else if key.equals("inode") {
            node.inode = try scanner.unsigned()
        } else if key.equals("device_id") {
            node.deviceID = try scanner.unsigned()
        } else if key.equals("size") {
            node.size = try scanner.unsigned()
        } else if key.equals("links") {
            node.links = try scanner.unsigned()
        } else if key.equals("content") {
            node.content = try ids(&scanner)
        } else if key.equals("subtree") {
            if !scanner.takeNull() { node.subtree = try scanner.id() }
        } else {
            try rareMember(key, &scanner, &node)
        }
    }

    private static func rareMember(
        _ key: UnsafeRawBufferPointer, _ scanner: inout ByteScanner, _ node: inout TreeNode
    ) throws(FormatError) {
        if key.equals("linktarget") {
            if node.linkTarget.isEmpty { node.linkTarget = try scanner.string() } else { try scanner.skipValue() }
        } else if key.equals("linktarget_raw") {
            node.linkTarget = try base64(&scanner)
        } else if key.equals("extended_attributes") {
            if !scanner.takeNull() { node.extendedAttributes = try attributes(&scanner) }
        } else if key.equals("generic_attributes") {
            let start = scanner.position
            try scanner.skipValue()
            node.genericAttributes = scanner.slice(from: start)
        } else if key.equals("device") {
            node.device = try scanner.unsigned()
        } else if key.equals("error") {
            node.error = try scanner.string()
        } else {
            try scanner.skipValue()
        }
    }

    private static func time(_ scanner: inout ByteScanner) throws(FormatError) -> Timestamp {
        guard let time = Timestamp(try scanner.plainString()) else { throw scanner.failure("a bad time") }
        return time
    }

    private static func base64(_ scanner: inout ByteScanner) throws(FormatError) -> [UInt8] {
        if scanner.takeNull() { return [] }
        guard let bytes = Base64.decoded(try scanner.string()) else { throw scanner.failure("bad base64") }
        return bytes
    }

    private static func ids(_ scanner: inout ByteScanner) throws(FormatError) -> [ObjectID]? {
        if scanner.takeNull() { return nil }
        var ids: [ObjectID] = []
        try scanner.array { (scanner) throws(FormatError) in ids.append(try scanner.id()) }
        return ids
    }

    private static func attributes(_ scanner: inout ByteScanner) throws(FormatError) -> [TreeNode.ExtendedAttribute] {
        var list: [TreeNode.ExtendedAttribute] = []
        try scanner.array { (scanner) throws(FormatError) in
            var attribute = TreeNode.ExtendedAttribute(name: [], value: [])
            try scanner.object { (scanner, key) throws(FormatError) in
                if key.equals("name") {
                    attribute.name = try scanner.string()
                } else if key.equals("value") {
                    attribute.value = try base64(&scanner)
                } else {
                    try scanner.skipValue()
                }
            }
            list.append(attribute)
        }
        return list
    }
}
