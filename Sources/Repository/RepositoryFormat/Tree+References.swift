extension TreeDecoding {
    /// What a tree blob needs: the blobs of its files and the trees of its directories, in their order.
    ///
    /// Who looks for blobs in use needs nothing else of a tree, and walks millions of nodes: only these members are
    /// decoded. Every id that stands under one of the two names counts, whatever the type of its node.
    ///
    /// - Parameters:
    ///   - content: receives the data blobs, by appending.
    ///   - subtrees: receives the trees, by appending.
    /// - Throws: ``FormatError`` for bytes that are no tree; what was appended until then is of no use.
    package static func references(
        _ bytes: UnsafeRawBufferPointer, content: inout [ObjectID], subtrees: inout [ObjectID]
    ) throws(FormatError) {
        var scanner = ByteScanner(bytes, object: "tree")
        var hasNodes = false
        try scanner.object { (scanner, key) throws(FormatError) in
            guard key.equals("nodes") else { return try scanner.skipValue() }
            hasNodes = true
            guard !scanner.takeNull() else { return }
            try scanner.array { (scanner) throws(FormatError) in
                try scanner.object { (scanner, key) throws(FormatError) in
                    if key.equals("content") {
                        guard !scanner.takeNull() else { return }
                        try scanner.array { (scanner) throws(FormatError) in content.append(try scanner.id()) }
                    } else if key.equals("subtree") {
                        if !scanner.takeNull() { subtrees.append(try scanner.id()) }
                    } else {
                        try scanner.skipValue()
                    }
                }
            }
        }
        try scanner.expectEnd()
        guard hasNodes else { throw scanner.failure("a tree without nodes") }
    }
}
