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
        guard digits.count == 64, let start = digits.baseAddress,
            let first = Self.word(start), let second = Self.word(start + 16), let third = Self.word(start + 32),
            let fourth = Self.word(start + 48)
        else { return nil }
        words = (first, second, third, fourth)
    }

    /// The eight bytes of 16 digits.
    @inline(__always)
    private static func word(_ digits: UnsafeRawPointer) -> UInt64? {
        guard let low = half(UInt64(littleEndian: digits.loadUnaligned(as: UInt64.self))),
            let high = half(UInt64(littleEndian: digits.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        else { return nil }
        return UInt64(littleEndian: low | high << 32)
    }

    /// The four bytes of 8 digits, all digits at once: one in each byte of `text`.
    @inline(__always)
    private static func half(_ text: UInt64) -> UInt64? {
        // Letters have bit 6 and count from 1.
        let letters = (text & 0x4040_4040_4040_4040) >> 6
        let values = (text & 0x0F0F_0F0F_0F0F_0F0F) &+ letters &* 9
        // What does not read back as itself was no digit; values are at most 24, so that no sum carries over.
        let above9 = ((values &+ 0x7676_7676_7676_7676) & 0x8080_8080_8080_8080) >> 7
        guard values & 0xF0F0_F0F0_F0F0_F0F0 == 0,
            values &+ 0x3030_3030_3030_3030 &+ above9 &* 0x27 == text
        else { return nil }
        var result = (values << 4 | values >> 8) & 0x00FF_00FF_00FF_00FF
        result = (result | result >> 8) & 0x0000_FFFF_0000_FFFF
        return (result | result >> 16) & 0xFFFF_FFFF
    }

    /// The 32 bytes.
    package var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }

    /// 64 hexadecimal digits.
    package var hexadecimal: String {
        String(unsafeUninitializedCapacity: 64) { buffer in
            if let start = buffer.baseAddress { writeDigits(to: start) }
            return 64
        }
    }

    /// Appends the 64 digits as ASCII.
    package func appendHexadecimal(to output: inout [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { buffer in
            guard let start = buffer.baseAddress else { return }
            writeDigits(to: start)
            output.append(contentsOf: buffer)
        }
    }

    /// Writes 64 bytes.
    @inline(__always)
    private func writeDigits(to output: UnsafeMutableRawPointer) {
        var position = 0
        func write(_ word: UInt64) {
            let word = UInt64(littleEndian: word)
            for part in 0..<2 {
                let digits = Self.digits(word >> (32 * UInt64(part)) & 0xFFFF_FFFF)
                output.storeBytes(of: digits.littleEndian, toByteOffset: position, as: UInt64.self)
                position += 8
            }
        }
        write(words.0)
        write(words.1)
        write(words.2)
        write(words.3)
    }

    /// The 8 digits of four bytes, all at once.
    @inline(__always)
    private static func digits(_ bytes: UInt64) -> UInt64 {
        var spread = (bytes | bytes << 16) & 0x0000_FFFF_0000_FFFF
        spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF
        let values = (spread >> 4 | spread << 8) & 0x0F0F_0F0F_0F0F_0F0F
        let above9 = ((values &+ 0x7676_7676_7676_7676) & 0x8080_8080_8080_8080) >> 7
        return values &+ 0x3030_3030_3030_3030 &+ above9 &* 0x27
    }

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
