/// One blob in a pack: where it lies and what it is.
package struct PackedBlob: Sendable, Hashable {
    package var id: ObjectID
    package var kind: BlobKind
    /// First byte of the sealed blob in the pack.
    package var offset: UInt32
    /// Bytes of the sealed blob.
    package var length: UInt32
    /// Bytes of the content when it is compressed; nil when it is stored as it is.
    package var uncompressedLength: UInt32?

    package init(id: ObjectID, kind: BlobKind, offset: UInt32, length: UInt32, uncompressedLength: UInt32?) {
        self.id = id
        self.kind = kind
        self.offset = offset
        self.length = length
        self.uncompressedLength = uncompressedLength
    }

    /// Bytes of the content: of a blob that is not compressed, all but the 32 bytes of sealing.
    package var contentByteCount: Int { uncompressedLength.map(Int.init) ?? max(0, Int(length) - 32) }
}

/// The header at the end of a pack: restic's design, section "Pack Format".
package enum PackHeader {
    /// Type byte, length and hash of a blob that is not compressed.
    package static let plainEntryByteCount = 37
    /// The same with the length of the content.
    package static let compressedEntryByteCount = 41
    /// Sealing and the four bytes of the length field, around the entries.
    package static let overheadByteCount = 32 + 4

    /// The plaintext of a header, entries in the order of the blobs.
    package static func encoded(_ blobs: some Sequence<PackedBlob>) -> [UInt8] {
        var output: [UInt8] = []
        for blob in blobs {
            output.append(blob.kind.rawValue | (blob.uncompressedLength == nil ? 0 : 2))
            append(blob.length, to: &output)
            if let length = blob.uncompressedLength { append(length, to: &output) }
            output.append(contentsOf: blob.id.bytes)
        }
        return output
    }

    /// The length field that ends a pack: four bytes, little-endian.
    package static func lengthField(sealedHeaderByteCount: Int) -> [UInt8] {
        var output: [UInt8] = []
        append(UInt32(truncatingIfNeeded: sealedHeaderByteCount), to: &output)
        return output
    }

    private static func append(_ value: UInt32, to output: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { output.append(contentsOf: $0) }
    }

    /// The blobs that a header's plaintext lists.
    ///
    /// - Parameter dataByteCount: bytes of the pack before its header; the blobs must fill them exactly.
    /// - Throws: ``FormatError`` for unknown types, cut entries, or lengths that do not add up.
    package static func blobs(_ plaintext: [UInt8], dataByteCount: Int) throws(FormatError) -> [PackedBlob] {
        var blobs: [PackedBlob] = []
        blobs.reserveCapacity(plaintext.count / plainEntryByteCount)
        var position = 0
        var offset: UInt32 = 0
        func number(at index: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(plaintext[index + $1]) << UInt32(8 * $1) }
        }
        while position < plaintext.count {
            let type = plaintext[position]
            guard type < 4, let kind = BlobKind(rawValue: type & 1) else {
                throw FormatError("pack header", "blob \(blobs.count) has the unknown type \(type)")
            }
            let isCompressed = type & 2 != 0
            let size = isCompressed ? compressedEntryByteCount : plainEntryByteCount
            guard plaintext.count - position >= size,
                let id = ObjectID(Array(plaintext[position + size - 32..<position + size]))
            else { throw FormatError("pack header", "it ends within an entry") }
            let length = number(at: position + 1)
            guard length >= 32 else { throw FormatError("pack header", "blob \(blobs.count) is too short") }
            blobs.append(
                PackedBlob(
                    id: id, kind: kind, offset: offset, length: length,
                    uncompressedLength: isCompressed ? number(at: position + 5) : nil))
            let (sum, overflow) = offset.addingReportingOverflow(length)
            guard !overflow else { throw FormatError("pack header", "its lengths overflow") }
            offset = sum
            position += size
        }
        guard Int(offset) == dataByteCount else {
            throw FormatError("pack header", "its blobs have \(offset) bytes, the pack has \(dataByteCount)")
        }
        return blobs
    }
}
