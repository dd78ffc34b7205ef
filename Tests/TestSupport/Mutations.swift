/// All ways to damage bytes a little, for decoders that must never trap.
package enum Mutations {
    /// Calls `body` with each proper prefix of `bytes`.
    package static func eachTruncation(of bytes: [UInt8], _ body: ([UInt8]) throws -> Void) rethrows {
        for count in 0..<bytes.count { try body(Array(bytes[0..<count])) }
    }

    /// Calls `body` with `bytes` after changing each byte in turn: one bit, all bits, and some that mean something in JSON.
    package static func eachFlippedByte(of bytes: [UInt8], _ body: ([UInt8], _ position: Int) throws -> Void) rethrows {
        var changed = bytes
        for position in bytes.indices {
            let original = bytes[position]
            for value in [original ^ 1, original ^ 0x80, ~original, 0x22, 0x5C, 0x39, 0x2D, 0] where value != original {
                changed[position] = value
                try body(changed, position)
            }
            changed[position] = original
        }
    }
}
