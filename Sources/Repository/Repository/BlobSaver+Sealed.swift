package import RepositoryFormat
import RepositoryCrypto

/// Blobs that were in a repository before: nobody compresses them again, and the index is not asked whether they are new.
extension BlobSaver.Worker {
    /// Takes over a blob whose sealed bytes were proven, as they are.
    ///
    /// - Parameter sealed: sealed with this repository's key.
    /// - Throws: the failure of an upload; cancellation.
    package func saveSealed(
        _ id: ObjectID, _ kind: BlobKind, sealed: UnsafeRawBufferPointer, uncompressedLength: UInt32?
    ) throws {
        try add(id, kind, length: sealed.count, uncompressedLength: uncompressedLength) { target in
            if let source = sealed.baseAddress { target.copyMemory(from: source, byteCount: sealed.count) }
        }
    }

    /// Seals what lay under another repository's seal.
    ///
    /// - Parameter payload: the content, compressed when `uncompressedLength` says so.
    /// - Throws: the failure of an upload; cancellation.
    package func savePayload(
        _ id: ObjectID, _ kind: BlobKind, payload: UnsafeRawBufferPointer, uncompressedLength: UInt32?
    ) throws {
        let length = payload.count + Sealer.overheadByteCount
        try add(id, kind, length: length, uncompressedLength: uncompressedLength) { target in
            try sealer.seal(payload, into: target)
        }
    }

    private func add(
        _ id: ObjectID, _ kind: BlobKind, length: Int, uncompressedLength: UInt32?,
        _ write: (UnsafeMutableRawPointer) throws -> Void
    ) throws {
        let (pack, offset) = try saver.reserve(
            id, kind, length: length, uncompressedLength: uncompressedLength.map { Int($0) })
        defer { saver.finishWriting(pack) }
        if let target = pack.buffer.bytes.baseAddress { try write(target + offset) }
        saver.count(kind, added: Int(uncompressedLength ?? UInt32(length - Sealer.overheadByteCount)), packed: length)
    }
}
