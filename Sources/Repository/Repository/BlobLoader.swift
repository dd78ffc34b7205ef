import Compression
import ObjectStorage
import RepositoryCrypto
package import RepositoryFormat

/// Reads blobs. One instance belongs to one thread.
package final class BlobLoader {
    private let repository: OpenRepository
    private let sealer: Sealer
    private let decompressor = Decompressor()
    private let hasher = SHA256Hasher()
    private var scratch: [UInt8] = []

    /// - Throws: ``CryptoError`` when libcrypto fails.
    package init(_ repository: OpenRepository) throws {
        self.repository = repository
        sealer = try repository.makeSealer()
    }

    /// The content of a blob, proven by its hash.
    ///
    /// - Throws: ``RepositoryError/Code/damaged`` when the blob is in no index or is not what it was; errors of the
    ///   store.
    package func load(_ id: ObjectID, _ kind: BlobKind) throws -> [UInt8] {
        guard let location = repository.index.location(of: id, kind) else {
            throw RepositoryError.missingBlob(id, kind)
        }
        let start = Int64(location.blob.offset)
        let sealed = try repository.store.get(
            ObjectKind.pack.key(location.pack), range: start..<start + Int64(location.blob.length))
        return try sealed.withUnsafeBytes { try open(location.blob, pack: location.pack, sealed: $0) { Array($0) } }
    }

    /// The nodes of a tree.
    package func loadTree(_ id: ObjectID) throws -> [TreeNode] {
        let bytes = try load(id, .tree)
        do { return try TreeDecoding.nodes(bytes) } catch {
            throw RepositoryError.damaged("The tree \(id.hexadecimal)", cause: error)
        }
    }

    /// Opens, decompresses and proves the sealed bytes of a blob; the content is valid within `body` only.
    ///
    /// - Throws: ``RepositoryError/Code/damaged``; what `body` throws.
    package func open<Result>(
        _ blob: PackedBlob, pack: ObjectID, sealed: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        let plainByteCount = sealed.count - Sealer.overheadByteCount
        let contentByteCount = blob.contentByteCount
        // A blob of more than 1 GiB was written by nobody; refuse before asking for the memory.
        guard sealed.count == Int(blob.length), plainByteCount >= 0, contentByteCount <= 1 << 30 else {
            throw damaged(blob, pack, FormatError("blob", "its length does not fit"))
        }
        let needed = plainByteCount + contentByteCount + 2
        if scratch.count < needed { scratch = [UInt8](repeating: 0, count: max(needed, 1 << 20)) }
        return try scratch.withUnsafeMutableBytes { scratch in
            guard let base = scratch.baseAddress else { throw damaged(blob, pack, nil) }
            do { try sealer.open(sealed, into: base) } catch { throw damaged(blob, pack, error) }
            var content = UnsafeRawBufferPointer(start: base, count: plainByteCount)
            if blob.uncompressedLength != nil {
                let output = UnsafeMutableRawBufferPointer(start: base + plainByteCount + 1, count: contentByteCount)
                do { try decompressor.decompress(content, into: output) } catch { throw damaged(blob, pack, error) }
                content = UnsafeRawBufferPointer(output)
            }
            guard ObjectID(hashing: content, with: hasher) == blob.id else {
                throw damaged(blob, pack, FormatError("blob", "its content does not match its id"))
            }
            return try body(content)
        }
    }

    /// The blobs that a pack's own header lists.
    ///
    /// - Parameter bytes: the whole pack.
    package func header(of bytes: UnsafeRawBufferPointer) throws -> [PackedBlob] {
        guard bytes.count >= PackHeader.overheadByteCount else {
            throw FormatError("pack header", "the pack is too short")
        }
        let length = (0..<4).reduce(0) { $0 | Int(bytes[bytes.count - 4 + $1]) << (8 * $1) }
        let start = bytes.count - 4 - length
        guard length >= Sealer.overheadByteCount, start >= 0 else {
            throw FormatError("pack header", "its length \(length) does not fit the pack")
        }
        let plain = try sealer.open(Array(bytes[start..<bytes.count - 4]))
        return try PackHeader.blobs(plain, dataByteCount: start)
    }

    private func damaged(_ blob: PackedBlob, _ pack: ObjectID, _ cause: (any Error)?) -> RepositoryError {
        .damaged("The \(blob.kind.name) blob \(blob.id.hexadecimal) in pack \(pack.hexadecimal)", cause: cause)
    }
}
