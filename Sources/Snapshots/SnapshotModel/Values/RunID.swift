/// The id of a run: 26 lower-case characters that sort by time, the same in file names, tags and the catalog.
///
/// Shape: a ULID in lower case, 48 bits of milliseconds since the Unix epoch and 80 random bits in Crockford's base 32.
/// Source: https://github.com/ulid/spec, whose text is in upper case.
package struct RunID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The 26 characters.
    package let text: String

    /// The characters of an id, in the order of their values.
    static let alphabetText = "0123456789abcdefghjkmnpqrstvwxyz"
    private static let alphabet = Array(alphabetText.utf8)

    /// - Throws: ``SnapshotModelError`` `malformedRunID` unless `text` is exactly what ``text`` would be: 26 characters
    ///   of the alphabet in lower case, the first at most `7`.
    package init(_ text: String) throws {
        let bytes = Array(text.utf8)
        guard bytes.count == 26, bytes[0] <= UInt8(ascii: "7"), bytes.allSatisfy(Self.alphabet.contains) else {
            throw SnapshotModelError.malformedRunID(text)
        }
        self.text = text
    }

    /// A new id.
    ///
    /// - Parameters:
    ///   - time: when the run was asked for; times outside of 1970 to 10889 are clamped to the 48 bits there are.
    ///   - generator: where the 80 random bits come from.
    package init(at time: Moment, using generator: inout some RandomNumberGenerator) {
        let bits48 = min(UInt64(clamping: time.milliseconds), 0xFFFF_FFFF_FFFF)
        var characters: [UInt8] = []
        characters.reserveCapacity(26)
        for index in 0..<10 { characters.append(Self.alphabet[Int(bits48 >> UInt64(45 - 5 * index) & 31)]) }
        for _ in 0..<2 {
            let bits40 = generator.next() as UInt64
            for index in 0..<8 { characters.append(Self.alphabet[Int(bits40 >> UInt64(35 - 5 * index) & 31)]) }
        }
        text = String(decoding: characters, as: UTF8.self)
    }

    /// When the run was asked for, to the millisecond.
    package var time: Moment {
        var milliseconds: Int64 = 0
        for byte in text.utf8.prefix(10) {
            milliseconds = milliseconds << 5 | Int64(Self.alphabet.firstIndex(of: byte) ?? 0)
        }
        return Moment(milliseconds: milliseconds)
    }

    /// The 26 characters.
    package var description: String { text }

    /// Earlier ids first; within one millisecond in no particular order.
    package static func < (left: RunID, right: RunID) -> Bool { left.text < right.text }
}
