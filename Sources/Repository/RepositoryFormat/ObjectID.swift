/// A SHA-256 digest that names a blob, a pack, an index, a snapshot, a key or a lock: 32 bytes, 64 hexadecimal digits.
package struct ObjectID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The four words as they lie in memory, first byte lowest.
    package var words: (UInt64, UInt64, UInt64, UInt64)

    /// - Parameter bytes: at least 32 bytes, of which the first 32 are taken; no alignment needed.
    package init(loading bytes: UnsafeRawPointer) {
        words = (
            bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
            bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
        )
    }

    /// - Returns: nil unless there are exactly 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        words = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    }

    /// Lets `body` write the 32 bytes.
    package init(writing body: (UnsafeMutableRawPointer) throws -> Void) rethrows {
        words = (0, 0, 0, 0)
        try withUnsafeMutableBytes(of: &words) { if let base = $0.baseAddress { try body(base) } }
    }

    /// - Parameter hexadecimal: exactly 64 digits, as restic writes them: lowercase.
    package init?(hexadecimal: String) {
        var text = hexadecimal
        guard let id = text.withUTF8({ ObjectID(digits: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = id
    }

    /// - Parameter digits: exactly 64 ASCII digits.
    package init?(digits: UnsafeRawBufferPointer) {
        guard digits.count == 64 else { return nil }
        words = (0, 0, 0, 0)
        let valid = withUnsafeMutableBytes(of: &words) { bytes -> Bool in
            for index in 0..<32 {
                guard let high = Self.value(digits[2 * index]), let low = Self.value(digits[2 * index + 1]) else {
                    return false
                }
                bytes[index] = high << 4 | low
            }
            return true
        }
        guard valid else { return nil }
    }

    @inline(__always)
    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit &- 0x30
        case 0x61...0x66: digit &- 0x57
        default: nil
        }
    }

    /// The 32 bytes.
    package var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }

    /// 64 hexadecimal digits.
    package var hexadecimal: String {
        String(unsafeUninitializedCapacity: 64) { buffer in
            withUnsafeBytes(of: words) { bytes in
                for index in 0..<32 {
                    buffer[2 * index] = Self.digit(bytes[index] >> 4)
                    buffer[2 * index + 1] = Self.digit(bytes[index] & 15)
                }
            }
            return 64
        }
    }

    /// Appends the 64 digits as ASCII.
    package func appendHexadecimal(to output: inout [UInt8]) {
        withUnsafeBytes(of: words) { bytes in
            for byte in bytes {
                output.append(Self.digit(byte >> 4))
                output.append(Self.digit(byte & 15))
            }
        }
    }

    @inline(__always)
    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x57 &+ value }

    /// The first 8 digits, which people use.
    package var short: String { String(hexadecimal.prefix(8)) }

    package var description: String { hexadecimal }

    package static func == (a: ObjectID, b: ObjectID) -> Bool { a.words == b.words }

    /// The digest is evenly spread already: its first word is the hash.
    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }

    /// In the order of the bytes, as file names sort.
    package static func < (a: ObjectID, b: ObjectID) -> Bool {
        if a.words.0 != b.words.0 { return a.words.0.byteSwapped < b.words.0.byteSwapped }
        if a.words.1 != b.words.1 { return a.words.1.byteSwapped < b.words.1.byteSwapped }
        if a.words.2 != b.words.2 { return a.words.2.byteSwapped < b.words.2.byteSwapped }
        return a.words.3.byteSwapped < b.words.3.byteSwapped
    }
}

/// What a blob holds; the two kinds never share a pack (restic's design, "Pack Format").
package enum BlobKind: UInt8, Sendable, Hashable {
    /// A chunk of a file.
    case data = 0
    /// A directory.
    case tree = 1

    /// As in index files.
    package var name: String { self == .data ? "data" : "tree" }
}
