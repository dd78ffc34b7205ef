import Compression
import ObjectStorage
import Repository
import RepositoryCrypto
import RepositoryFormat

extension FuzzTarget {
    private static func blob(_ number: UInt8, _ kind: BlobKind, _ length: UInt32, _ size: UInt32?) -> PackedBlob {
        PackedBlob(id: ObjectID(hashing: [number]), kind: kind, offset: 0, length: length, uncompressedLength: size)
    }

    /// The plaintext of a pack's header, against a second reader that was written for this.
    static let packHeader = FuzzTarget(
        "pack-header",
        seeds: {
            [
                "empty": PackHeader.encoded([]), "plain": PackHeader.encoded([blob(1, .data, 32, nil)]),
                "compressed": PackHeader.encoded([blob(1, .tree, 70, 99), blob(2, .tree, 80, 4000)]),
                "mixed": PackHeader.encoded([
                    blob(1, .data, 1 << 20, nil), blob(2, .tree, 33, 1), blob(3, .data, 40, 9),
                ]),
                "overflow": PackHeader.encoded([blob(1, .data, .max, nil), blob(2, .data, .max, 5)]),
            ]
        },
        examine: { bytes in
            let plaintext = Array(bytes)
            let expected = NaivePackHeader.blobs(plaintext)
            let total = expected.map { $0.reduce(0) { $0 + Int($1.length) } } ?? 0
            let blobs = try? PackHeader.blobs(plaintext, dataByteCount: total)
            try require(blobs == expected, "the header is read as \(blobs as Any) instead of \(expected as Any)")
            guard let blobs else { return }
            try require(PackHeader.encoded(blobs) == plaintext, "the header is written in another way")
            for other in [total - 1, total + 1, .max, .min] {
                let accepted = try? PackHeader.blobs(plaintext, dataByteCount: other)
                try require(accepted == nil, "blobs of \(total) bytes are taken to fill \(other)")
            }
            for blob in blobs { try require(blob.contentByteCount >= 0, "a negative size") }
        })

    /// A sealed blob with what an index says of it: first byte, bit 0 compressed, bit 1 with its true id; then the
    /// length of the content, four bytes, little-endian; then the plaintext.
    static let blob = FuzzTarget(
        "blob",
        seeds: {
            let text = Array("What one backs up, one wants to have again, one day, one way or another.".utf8)
            let frame = Compressor().compress(text)
            return [
                "plain": [2, 0, 0, 0, 0] + text, "empty": [2, 0, 0, 0, 0], "other": [0, 0, 0, 0, 0] + text,
                "compressed": [3, UInt8(text.count), 0, 0, 0] + frame,
                "larger": [3, 0xFF, 0xFF, 0xFF, 0x3F] + frame, "smaller": [3, 5, 0, 0, 0] + frame,
                "zeros": [3, 0, 0, 4, 0] + Compressor().compress([UInt8](repeating: 0, count: 1 << 18)),
            ]
        },
        examine: { bytes in
            guard bytes.count >= 5 else { return }
            let declared = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[1 + $1]) << UInt32(8 * $1) }
            let plaintext = Array(bytes.dropFirst(5))
            let isCompressed = bytes[0] & 1 != 0
            let content = isCompressed ? try? decompressed(plaintext, maximumByteCount: 1 << 22) : plaintext
            let id = bytes[0] & 2 != 0 ? ObjectID(hashing: content ?? []) : ObjectID(hashing: [9])
            let shared = try FuzzRepository.shared.get()
            let sealed = try shared.seal(plaintext)
            let blob = PackedBlob(
                id: id, kind: .data, offset: 0, length: UInt32(sealed.count),
                uncompressedLength: isCompressed ? declared : nil)
            let loader = try BlobLoader(shared.repository)
            let opened = try? sealed.withUnsafeBytes { try loader.open(blob, pack: id, sealed: $0) { Array($0) } }
            if let opened {
                try require(ObjectID(hashing: opened) == id, "content is taken that does not match its id")
                try require(opened.count == blob.contentByteCount, "content of another length is taken")
            } else if bytes[0] & 2 != 0, let content, content.count == blob.contentByteCount {
                throw FuzzFinding("a good blob of \(content.count) bytes is refused")
            }
        })

    /// A whole document: index, snapshot or lock behind the seal, compressed when its first byte is 2.
    static let unpacked = FuzzTarget(
        "unpacked",
        seeds: {
            let text = Array("{\"packs\":[]}".utf8)
            return [
                "plain": text, "compressed": [2] + Compressor().compress(text), "empty": [], "no-frame": [2],
                "two-frames": [2] + Compressor().compress(text) + Compressor().compress(text),
                "zeros": [2] + Compressor().compress([UInt8](repeating: 0, count: 1 << 20)),
                // Frames of unknown content size, one raw and one repeated block; RFC 8878, section 3.1.1.
                "raw-block": [2, 0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58, 0x11, 0, 0, 0x7B, 0x7D],
                "repeated-block": [2, 0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58, 0x03, 0x02, 0, 0x20],
            ]
        },
        examine: { bytes in
            let shared = try FuzzRepository.shared.get()
            let plaintext = Array(bytes)
            let sealed = try shared.seal(plaintext)
            let id = ObjectID(hashing: sealed)
            shared.store.replace(ObjectKind.snapshot.key(id), with: sealed)
            defer { shared.store.replace(ObjectKind.snapshot.key(id), with: nil) }
            let document = try? shared.repository.loadUnpacked(.snapshot, id)
            if plaintext.first != 2 { try require(document == plaintext, "a plain document changes") }
            guard let document else { return }
            // No block of a frame is larger than 128 KiB or smaller than four bytes.
            try require(document.count <= plaintext.count << 15, "\(plaintext.count) bytes become \(document.count)")
            let again = try decompressed(Compressor().compress(document), maximumByteCount: document.count)
            try require(again == document, "a document changes when it is compressed")
        })

    private static func decompressed(_ frame: [UInt8], maximumByteCount: Int) throws -> [UInt8] {
        try frame.withUnsafeBytes { try Decompressor().decompress($0, maximumByteCount: maximumByteCount) }
    }
}

/// Reads headers in the simplest way: one byte after the other.
private enum NaivePackHeader {
    static func blobs(_ bytes: [UInt8]) -> [PackedBlob]? {
        var rest = bytes[...]
        var blobs: [PackedBlob] = []
        var offset: UInt64 = 0
        func number() -> UInt64? {
            guard rest.count >= 4 else { return nil }
            defer { rest = rest.dropFirst(4) }
            return rest.prefix(4).reversed().reduce(0) { $0 * 256 + UInt64($1) }
        }
        while let type = rest.popFirst() {
            guard type <= 3, let length = number(), length >= 32 else { return nil }
            var size: UInt64?
            if type >= 2 {
                guard let value = number() else { return nil }
                size = value
            }
            guard let id = ObjectID(Array(rest.prefix(32))) else { return nil }
            rest = rest.dropFirst(32)
            blobs.append(
                PackedBlob(
                    id: id, kind: type % 2 == 0 ? .data : .tree, offset: UInt32(truncatingIfNeeded: offset),
                    length: UInt32(truncatingIfNeeded: length),
                    uncompressedLength: size.map { UInt32(truncatingIfNeeded: $0) }))
            offset += length
        }
        return offset <= UInt64(UInt32.max) ? blobs : nil
    }
}
