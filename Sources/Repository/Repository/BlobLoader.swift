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
    /// Packs of trees that were fetched whole, the one used last at the end.
    private var treePacks: [TreePack] = []
    private struct TreePack {
        let id: ObjectID
        let bytes: [UInt8]
        /// From the cache of this machine, not from the store.
        let isCopy: Bool
    }

    /// The pack of the last tree that was fetched alone.
    private var lastTreePack: ObjectID?
    private static let treePackCount = 2

    /// - Throws: ``CryptoError`` when libcrypto fails.
    package init(_ repository: OpenRepository) throws {
        self.repository = repository
        sealer = try repository.makeSealer()
    }

    /// The content of a blob, proven by its hash; from another pack when the one of the index fails and there is one.
    ///
    /// - Throws: ``RepositoryError/Code/damaged`` when the blob is in no index or is not what it was in any of its
    ///   packs; errors of the store.
    package func load(_ id: ObjectID, _ kind: BlobKind) throws -> [UInt8] {
        guard let location = repository.index.location(of: id, kind) else {
            throw RepositoryError.missingBlob(id, kind)
        }
        do { return try load(location) } catch {
            guard Self.isDamage(error), let content = loadElsewhere(id, kind, than: location.pack) else { throw error }
            return content
        }
    }

    /// The content of a blob from any pack but one.
    ///
    /// - Returns: nil when no other pack has it intact.
    package func loadElsewhere(_ id: ObjectID, _ kind: BlobKind, than pack: ObjectID) -> [UInt8]? {
        for location in repository.index.locations(of: id, kind) where location.pack != pack {
            // Who asks has the first error, which says more than that of a copy.
            if let content = try? load(location) { return content }
        }
        return nil
    }

    /// True for errors that say that a pack, or a blob in it, is not what it was, rather than out of reach.
    package static func isDamage(_ error: any Error) -> Bool {
        if let error = error as? ObjectStoreError {
            return [.notFound, .invalidRange, .integrity].contains(error.code)
        }
        return (error as? RepositoryError)?.code == .damaged
    }

    /// The content of the copy of a blob in one pack, proven by its hash.
    ///
    /// - Throws: ``RepositoryError/Code/damaged``; errors of the store.
    package func load(_ location: BlobIndex.Location) throws -> [UInt8] {
        if location.blob.kind == .tree, let pack = try treePack(location.pack) {
            do { return try tree(location.blob, in: pack) } catch {
                guard pack.isCopy else { throw error }
                // The copy is worthless; the store decides.
                repository.cache?.remove(.pack, pack.id)
                treePacks.removeAll { $0.id == pack.id }
            }
        }
        let start = Int64(location.blob.offset)
        let sealed = try repository.store.get(
            ObjectKind.pack.key(location.pack), range: start..<start + Int64(location.blob.length))
        return try sealed.withUnsafeBytes { try open(location.blob, pack: location.pack, sealed: $0) { Array($0) } }
    }

    private func tree(_ blob: PackedBlob, in pack: TreePack) throws -> [UInt8] {
        try pack.bytes.withUnsafeBytes { bytes in
            let (start, end) = (Int(blob.offset), Int(blob.offset) + Int(blob.length))
            guard end <= bytes.count else { throw damaged(blob, pack.id, nil) }
            let sealed = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            return try open(blob, pack: pack.id, sealed: sealed) { Array($0) }
        }
    }

    /// The whole pack, once two trees of it were wanted: who walks a snapshot will want most of its trees.
    ///
    /// - Returns: nil when the tree is to be fetched alone.
    private func treePack(_ id: ObjectID) throws -> TreePack? {
        if let position = treePacks.firstIndex(where: { $0.id == id }) {
            if position != treePacks.count - 1 { treePacks.append(treePacks.remove(at: position)) }
            return treePacks.last
        }
        if let bytes = repository.cache?.read(.pack, id) { return hold(TreePack(id: id, bytes: bytes, isCopy: true)) }
        guard lastTreePack == id else {
            lastTreePack = id
            return nil
        }
        let bytes = try repository.store.get(ObjectKind.pack.key(id), range: nil)
        repository.cache?.write(.pack, id, bytes)
        return hold(TreePack(id: id, bytes: bytes, isCopy: false))
    }

    private func hold(_ pack: TreePack) -> TreePack {
        if treePacks.count == Self.treePackCount { treePacks.removeFirst() }
        treePacks.append(pack)
        return pack
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
        guard sealed.count == Int(blob.length), plainByteCount >= 0, contentByteCount <= 1 << 30,
            contentByteCount <= Decompressor.largestContent(of: plainByteCount)
        else {
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

    /// The blobs that a pack's own header lists, read without the rest of the pack.
    ///
    /// - Throws: ``RepositoryError/Code/damaged``; errors of the store.
    package func header(of pack: ObjectID, packByteCount: Int64) throws -> [PackedBlob] {
        let what = "The header of pack \(pack.hexadecimal)"
        let key = ObjectKind.pack.key(pack)
        guard packByteCount >= Int64(PackHeader.overheadByteCount) else {
            throw RepositoryError.damaged(what, cause: FormatError("pack header", "the pack is too short"))
        }
        // Enough for some 1,500 blobs; most packs have fewer.
        let tailByteCount = min(packByteCount, 64 << 10)
        var tail = try repository.store.get(key, range: packByteCount - tailByteCount..<packByteCount)
        guard tail.count >= 4 else { throw RepositoryError.damaged(what) }
        let length = tail.suffix(4).reversed().reduce(Int64(0)) { $0 << 8 | Int64($1) }
        guard length >= Int64(Sealer.overheadByteCount), length + 4 <= packByteCount else {
            throw RepositoryError.damaged(
                what, cause: FormatError("pack header", "its length \(length) does not fit the pack"))
        }
        let start = packByteCount - 4 - length
        if length + 4 > Int64(tail.count) { tail = try repository.store.get(key, range: start..<packByteCount) }
        do {
            let plain = try sealer.open(Array(tail.suffix(Int(length) + 4).dropLast(4)))
            return try PackHeader.blobs(plain, dataByteCount: Int(start))
        } catch {
            throw RepositoryError.damaged(what, cause: error)
        }
    }

    private func damaged(_ blob: PackedBlob, _ pack: ObjectID, _ cause: (any Error)?) -> RepositoryError {
        .damaged("The \(blob.kind.name) blob \(blob.id.hexadecimal) in pack \(pack.hexadecimal)", cause: cause)
    }
}
