/// Reads the nodes of a tree one after the other, so that a directory of a million entries needs no array of them.
package struct TreeReader {
    private enum State { case firstMember, member, nodes, afterMember, end }

    private let bytes: [UInt8]
    private var position = 0
    private var state = State.firstMember
    private var last: [UInt8] = []

    /// - Parameter bytes: a tree blob.
    /// - Throws: ``FormatError`` for bytes that begin like no tree.
    package init(_ bytes: [UInt8]) throws(FormatError) {
        self.bytes = bytes
        try advance { (scanner) throws(FormatError) in try scanner.expect(0x7B) }
    }

    /// The next node; nil after the last.
    ///
    /// - Throws: ``FormatError`` as ``TreeDecoding/nodes(_:)-(UnsafeRawBufferPointer)`` does, when the reader comes to
    ///   the place.
    package mutating func next() throws(FormatError) -> TreeNode? {
        var node: TreeNode?
        var state = state
        var last = last
        try advance { (scanner) throws(FormatError) in
            while state != .end, node == nil {
                switch state {
                case .firstMember, .member: try Self.member(&scanner, &state)
                case .nodes:
                    let next = try TreeDecoding.node(&scanner)
                    guard last.isEmpty || last.lexicographicallyPrecedes(next.name) else {
                        throw scanner.failure("nodes are not in order")
                    }
                    last = next.name
                    node = next
                    if !scanner.take(0x2C) {
                        try scanner.expect(0x5D)
                        state = .afterMember
                    }
                case .afterMember:
                    if scanner.take(0x2C) {
                        state = .member
                    } else {
                        try scanner.expect(0x7D)
                        try scanner.expectEnd()
                        state = .end
                    }
                case .end: break
                }
            }
        }
        self.state = state
        self.last = last
        return node
    }

    private static func member(_ scanner: inout ByteScanner, _ state: inout State) throws(FormatError) {
        if state == .firstMember, scanner.peek() == 0x7D {
            state = .afterMember
            return
        }
        let key = try scanner.plainString()
        try scanner.expect(0x3A)
        state = .afterMember
        guard key.equals("nodes") else { return try scanner.skipValue() }
        guard !scanner.takeNull() else { return }
        try scanner.expect(0x5B)
        if !scanner.take(0x5D) { state = .nodes }
    }

    /// Runs `body` with a scanner at the present position, and keeps the position that it comes to.
    private mutating func advance(
        _ body: (inout ByteScanner) throws(FormatError) -> Void
    ) throws(FormatError) {
        let start = position
        let result = bytes.withUnsafeBytes { bytes -> Result<Int, FormatError> in
            var scanner = ByteScanner(bytes, object: "tree", position: start)
            do throws(FormatError) {
                try body(&scanner)
                return .success(scanner.position)
            } catch {
                return .failure(error)
            }
        }
        position = try result.get()
    }
}
