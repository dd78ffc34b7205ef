import Compression
import Repository
import RepositoryCrypto
import RepositoryFormat

/// Opens sealed blobs and proves them by their hashes, and gives what lay under the seal as well: bytes that are to be
/// sealed again need not be compressed again. One instance belongs to one thread.
final class BlobProof {
    /// What was sealed, compressed or not, and what it stands for; both valid within the closure only.
    struct Opened {
        let payload: UnsafeRawBufferPointer
        let content: UnsafeRawBufferPointer
    }

    private let sealer: Sealer
    private let decompressor = Decompressor()
    private let hasher = SHA256Hasher()
    private var scratch = RawBuffer(byteCount: 4 << 20)

    init(_ repository: OpenRepository) throws { sealer = try repository.makeSealer() }

    /// - Throws: ``FormatError``, `CryptoError`, `CompressionError` for bytes that are not the blob; what `body`
    ///   throws.
    func open<Result>(
        _ blob: PackedBlob, sealed: UnsafeRawBufferPointer, _ body: (Opened) throws -> Result
    ) throws -> Result {
        let payloadByteCount = sealed.count - Sealer.overheadByteCount
        let contentByteCount = blob.contentByteCount
        guard sealed.count == Int(blob.length), payloadByteCount >= 0, contentByteCount <= 1 << 30 else {
            throw FormatError("blob", "its length does not fit")
        }
        let needed = payloadByteCount + contentByteCount + 2
        if scratch.bytes.count < needed { scratch = RawBuffer(byteCount: needed) }
        guard let base = scratch.bytes.baseAddress else { throw FormatError("blob", "there is no memory for it") }
        try sealer.open(sealed, into: base)
        let payload = UnsafeRawBufferPointer(start: base, count: payloadByteCount)
        var content = payload
        if blob.uncompressedLength != nil {
            let output = UnsafeMutableRawBufferPointer(start: base + payloadByteCount + 1, count: contentByteCount)
            try decompressor.decompress(payload, into: output)
            content = UnsafeRawBufferPointer(output)
        }
        guard ObjectID(writing: { hasher.hash(content, into: $0) }) == blob.id else {
            throw FormatError("blob", "its content does not match its id")
        }
        return try body(Opened(payload: payload, content: content))
    }
}
