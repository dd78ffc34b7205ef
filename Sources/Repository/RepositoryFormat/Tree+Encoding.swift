/// The bytes of tree blobs.
package enum TreeEncoding {
    /// How each tree starts and ends; Go's encoder adds the line feed.
    private static let prefix = Array("{\"nodes\":[".utf8)
    private static let suffix = Array("]}\n".utf8)

    /// The JSON of a tree, byte for byte as stock restic writes it for the same nodes.
    ///
    /// - Parameter nodes: sorted by the bytes of their names, no name twice.
    package static func encoded(_ nodes: some Sequence<TreeNode>) -> [UInt8] {
        var output = prefix
        for node in nodes { append(node, to: &output) }
        finish(&output)
        return output
    }

    /// Starts a tree that ``append(_:to:)`` fills and ``finish(_:)`` ends.
    package static func begin(reserving nodeCount: Int) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(16 + nodeCount * 400)
        output.append(contentsOf: prefix)
        return output
    }

    /// Ends a tree.
    package static func finish(_ output: inout [UInt8]) { output.append(contentsOf: suffix) }

    /// Appends one node, in the order of the members of restic's `Node`.
    package static func append(_ node: TreeNode, to output: inout [UInt8]) {
        appendSeparator(to: &output)
        appendStart(node.name, node.facts, unknownKind: node.unknownKind, to: &output)
        string(",\"linktarget\":", node.linkTarget, &output)
        if !node.linkTarget.isEmpty, !GoText.isUTF8(node.linkTarget) {
            base64(",\"linktarget_raw\":\"", node.linkTarget, &output)
        }
        if !node.extendedAttributes.isEmpty { attributes(node.extendedAttributes, &output) }
        if !node.genericAttributes.isEmpty {
            literal(",\"generic_attributes\":", &output)
            output.append(contentsOf: node.genericAttributes)
        }
        number(",\"device\":", node.device, &output)
        contents(node.content, &output)
        if let subtree = node.subtree {
            literal(",\"subtree\":\"", &output)
            subtree.appendHexadecimal(to: &output)
            output.append(0x22)
        }
        string(",\"error\":", node.error, &output)
        output.append(0x7D)
    }

    /// Appends a node as it stands in another tree.
    package static func append(encoded node: ArraySlice<UInt8>, to output: inout [UInt8]) {
        appendSeparator(to: &output)
        output.append(contentsOf: node)
    }

    private static func appendSeparator(to output: inout [UInt8]) {
        if output.last == 0x7D { output.append(0x2C) }
    }

    /// Appends a node from its brace to its number of links: all that a look at the entry tells.
    ///
    /// - Parameter unknownKind: what a newer program calls the kind; empty for a known one.
    package static func appendStart(
        _ name: [UInt8], _ facts: NodeFacts, unknownKind: [UInt8] = [], to output: inout [UInt8]
    ) {
        literal("{\"name\":", &output)
        if GoText.isPlain(name) {
            output.append(0x22)
            output.append(contentsOf: name)
            output.append(0x22)
        } else {
            GoText.appendJSONString(GoText.quoted(name), to: &output)
        }
        literal(",\"type\":\"", &output)
        if unknownKind.isEmpty { literal(facts.kind.text, &output) } else { output.append(contentsOf: unknownKind) }
        output.append(0x22)
        number(",\"mode\":", UInt64(facts.mode), &output)
        time(",\"mtime\":\"", facts.modified, &output)
        time(",\"atime\":\"", facts.accessed, &output)
        time(",\"ctime\":\"", facts.changed, &output)
        literal(",\"uid\":", &output)
        GoText.appendDecimal(UInt64(facts.uid), to: &output)
        literal(",\"gid\":", &output)
        GoText.appendDecimal(UInt64(facts.gid), to: &output)
        string(",\"user\":", facts.user, &output)
        string(",\"group\":", facts.group, &output)
        number(",\"inode\":", facts.inode, &output)
        number(",\"device_id\":", facts.deviceID, &output)
        number(",\"size\":", facts.size, &output)
        number(",\"links\":", facts.links, &output)
    }

    private static func literal(_ text: StaticString, _ output: inout [UInt8]) {
        output.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private static func number(_ name: StaticString, _ value: UInt64, _ output: inout [UInt8]) {
        guard value != 0 else { return }
        literal(name, &output)
        GoText.appendDecimal(value, to: &output)
    }

    private static func string(_ name: StaticString, _ value: [UInt8], _ output: inout [UInt8]) {
        guard !value.isEmpty else { return }
        literal(name, &output)
        GoText.appendJSONString(value, to: &output)
    }

    private static func time(_ name: StaticString, _ value: Timestamp, _ output: inout [UInt8]) {
        literal(name, &output)
        value.append(to: &output)
        output.append(0x22)
    }

    private static func base64(_ name: StaticString, _ value: [UInt8], _ output: inout [UInt8]) {
        literal(name, &output)
        output.append(contentsOf: Base64.encoded(value))
        output.append(0x22)
    }

    private static func attributes(_ list: [TreeNode.ExtendedAttribute], _ output: inout [UInt8]) {
        literal(",\"extended_attributes\":[", &output)
        for (index, attribute) in list.enumerated() {
            if index > 0 { output.append(0x2C) }
            literal("{\"name\":", &output)
            GoText.appendJSONString(attribute.name, to: &output)
            base64(",\"value\":\"", attribute.value, &output)
            output.append(0x7D)
        }
        output.append(0x5D)
    }

    private static func contents(_ content: [ObjectID]?, _ output: inout [UInt8]) {
        guard let content else {
            literal(",\"content\":null", &output)
            return
        }
        literal(",\"content\":[", &output)
        for (index, id) in content.enumerated() {
            if index > 0 { output.append(0x2C) }
            output.append(0x22)
            id.appendHexadecimal(to: &output)
            output.append(0x22)
        }
        output.append(0x5D)
    }
}
