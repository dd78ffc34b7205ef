package import Chunking
import Compression
package import ObjectStorage
package import RepositoryCrypto
package import RepositoryFormat
import Synchronization

/// A repository whose key is known. Its index is empty until ``loadIndex(cancellation:)``.
package final class OpenRepository: Sendable {
    /// Refuses changes unless the repository's locks stand.
    package let store: any ObjectStore
    package let config: RepositoryConfig
    /// The id of the key that the password opened.
    package let keyID: ObjectID
    package let index = BlobIndex()
    let sealingKey: SealingKey
    /// What locks and writers of this repository share.
    let gate = WriteGate()
    /// The index files that were loaded while a lock was not certain yet.
    let earlyIndexes = Mutex<Set<ObjectID>>([])
    /// Set by ``useCache(root:)``.
    let cacheInUse = Mutex<LocalCache?>(nil)
    /// Cuts files with the repository's own polynomial.
    package let chunker: Chunker

    init(store: any ObjectStore, config: RepositoryConfig, keyID: ObjectID, sealingKey: SealingKey) throws {
        guard let polynomial = Polynomial(hexadecimal: config.chunkerPolynomial), let chunker = Chunker(polynomial),
            polynomial.isIrreducible
        else {
            throw RepositoryError.damaged("The chunker polynomial in the repository's config")
        }
        self.store = GuardedObjectStore(store, gate: gate)
        self.config = config
        self.keyID = keyID
        self.sealingKey = sealingKey
        self.chunker = chunker
    }

    /// The same repository with an empty index of its own: for work that must not see all of it.
    package func withEmptyIndex() throws -> OpenRepository {
        try OpenRepository(store: store, config: config, keyID: keyID, sealingKey: sealingKey)
    }

    /// A sealer for the calling thread.
    package func makeSealer() throws -> Sealer { try Sealer(sealingKey) }
}

extension OpenRepository {
    /// The largest object that is read as a whole and decompressed: an index or a snapshot.
    static let maximumUnpackedByteCount = 1 << 30

    /// Reads and opens an index, snapshot or lock.
    ///
    /// - Throws: ``RepositoryError/Code/damaged`` when the bytes do not match the name or cannot be opened; errors of
    ///   the store.
    package func loadUnpacked(_ kind: ObjectKind, _ id: ObjectID) throws -> [UInt8] {
        let isCached = kind == .index || kind == .snapshot
        if isCached, let plain = cachedDocument(kind, id) { return plain }
        let what = "The \(kind.singular) \(id.hexadecimal)"
        let sealed = try store.get(kind.key(id), range: nil)
        guard ObjectID(hashing: sealed) == id else { throw RepositoryError.damaged(what) }
        let plain: [UInt8]
        do { plain = try open(sealed) } catch { throw RepositoryError.damaged(what, cause: error) }
        if isCached { cache?.write(kind, id, sealed) }
        return plain
    }

    /// Opens and decompresses a sealed document.
    ///
    /// - Throws: ``CryptoError``; what the decompressor throws.
    func open(_ sealed: [UInt8]) throws -> [UInt8] {
        let plain = try makeSealer().open(sealed)
        // Version 2 marks compressed documents by a first byte 2; JSON starts with a bracket.
        guard plain.first == 2 else { return plain }
        return try plain.withUnsafeBytes { bytes in
            try Decompressor().decompress(
                UnsafeRawBufferPointer(rebasing: bytes.dropFirst()), maximumByteCount: Self.maximumUnpackedByteCount)
        }
    }

    /// Compresses, seals and stores a document.
    ///
    /// - Returns: its id, durable.
    @discardableResult
    package func saveUnpacked(_ kind: ObjectKind, _ document: [UInt8]) throws -> ObjectID {
        try requireWritable()
        let sealed = try makeSealer().seal([2] + Compressor().compress(document))
        let id = ObjectID(hashing: sealed)
        try store.put(sealed, sha256: id.hexadecimal, as: kind.key(id), ifAbsent: true)
        // Who opens the repository next wants it.
        if kind == .index || kind == .snapshot { cache?.write(kind, id, sealed) }
        return id
    }

    /// - Throws: ``RepositoryError/Code/readOnly`` for format version 1.
    package func requireWritable() throws {
        guard config.version >= 2 else { throw RepositoryError.readOnly }
    }

    /// The ids of all objects of a kind; files of other programs are passed over.
    package func ids(of kind: ObjectKind) throws -> [ObjectID] {
        try store.list(prefix: kind.prefix).compactMap { kind.id(of: $0.key) }
    }
}
