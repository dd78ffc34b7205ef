/// Steps through an encoded tree beside a directory that is being listed, and builds no nodes for what did not change.
///
/// Both are in the order of the names' bytes. A tree that is not encoded as restic encodes it has no unchanged nodes: then
/// nodes are built and compared, which is slower and comes to the same.
package struct TreeCursor {
    private let bytes: [UInt8]
    /// Of the next node, or of the bracket that ends them.
    private var position: Int
    /// The next node, once it had to be built, and where it ends.
    private var built: (node: TreeNode, end: Int)?

    /// - Parameter bytes: of a tree blob whose id was proven.
    /// - Returns: nil for what does not begin as trees do.
    package init?(_ bytes: [UInt8]) {
        let isTree = bytes.withUnsafeBytes { bytes in
            var scanner = ByteScanner(bytes, object: "tree")
            return scanner.takeExactly("{\"nodes\":[")
        }
        guard isTree else { return nil }
        self.bytes = bytes
        position = 10
    }

    /// Takes the next node if it begins with just these bytes, and the rest of it is only what cannot change unless its
    /// beginning does: link target, extended attributes, device, and content.
    ///
    /// - Parameters:
    ///   - start: of ``TreeEncoding/appendStart(_:_:to:)``, for the entry as it is now.
    ///   - isFile: whether there must be content.
    ///   - isKnown: whether a blob of the content can be restored.
    /// - Returns: the node's bytes; nil, and nothing is taken, for any other node.
    package mutating func takeUnchanged(
        start: [UInt8], isFile: Bool, isKnown: (ObjectID) -> Bool
    ) -> ArraySlice<UInt8>? {
        guard built == nil, bytes.count - position > start.count else { return nil }
        let end = bytes.withUnsafeBytes { bytes -> Int? in
            var scanner = ByteScanner(bytes, object: "tree")
            scanner.goBack(to: position)
            guard start.withUnsafeBytes({ scanner.takeExactly($0) }) else { return nil }
            return Self.takeRest(&scanner, isFile: isFile, isKnown) ? scanner.position : nil
        }
        guard let end else { return nil }
        defer { step(to: end) }
        return bytes[position..<end]
    }

    /// What follows the start of a node, up to its brace.
    private static func takeRest(_ scanner: inout ByteScanner, isFile: Bool, _ isKnown: (ObjectID) -> Bool) -> Bool {
        var hasContent = false
        while !scanner.takeExactly("}") {
            if scanner.takeExactly(",\"content\":[") {
                hasContent = true
                if scanner.takeExactly("]") { continue }
                repeat {
                    guard scanner.takeExactly("\""), let id = scanner.takeID(), scanner.takeExactly("\""), isKnown(id)
                    else { return false }
                } while scanner.takeExactly(",")
                guard scanner.takeExactly("]") else { return false }
            } else if scanner.takeExactly(",\"content\":null") {
                continue
            } else if scanner.takeExactly(",\"linktarget\":") || scanner.takeExactly(",\"linktarget_raw\":")
                || scanner.takeExactly(",\"extended_attributes\":") || scanner.takeExactly(",\"device\":")
            {
                guard (try? scanner.skipValue()) != nil else { return false }
            } else {
                return false
            }
        }
        return hasContent == isFile
    }

    /// Passes over nodes of smaller names, and takes the one of this name.
    ///
    /// - Returns: nil when there is none, or when the rest of the tree cannot be read.
    package mutating func node(named name: [UInt8]) -> TreeNode? {
        while let (node, end) = built ?? build() {
            if node.name == name {
                step(to: end)
                return node
            }
            guard node.name.lexicographicallyPrecedes(name) else {
                built = (node, end)
                return nil
            }
            step(to: end)
        }
        return nil
    }

    /// The next node and where it ends; nil at the end of the tree, or of what can be read of it.
    private func build() -> (TreeNode, Int)? {
        guard position < bytes.count, bytes[position] != 0x5D else { return nil }
        return bytes.withUnsafeBytes { bytes in
            var scanner = ByteScanner(bytes, object: "tree")
            scanner.goBack(to: position)
            guard let node = try? TreeDecoding.node(&scanner) else { return nil }
            return (node, scanner.position)
        }
    }

    /// Goes on behind a node, and over the comma there.
    private mutating func step(to end: Int) {
        built = nil
        position = end
        while position < bytes.count, [0x2C, 0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) { position += 1 }
    }
}
