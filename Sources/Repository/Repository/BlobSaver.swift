import Compression
import Glibc
import ObjectStorage
import RepositoryCrypto
package import RepositoryFormat
import Synchronization
package import Threads

/// One backup's way into the repository: blobs in, packs and index files out.
///
/// Each thread that saves takes its own ``Worker``. Memory is bounded by the pool of pack buffers: who has a new blob
/// while all are being stored, waits.
package final class BlobSaver: Sendable {
    /// What was added, in bytes before and after compression and sealing.
    package struct Statistics: Sendable, Hashable {
        package var dataBlobs: UInt64 = 0
        package var treeBlobs: UInt64 = 0
        package var addedByteCount: UInt64 = 0
        package var packedByteCount: UInt64 = 0
    }

    private static let packBufferCount = 4

    let repository: OpenRepository
    private let pool: BufferPool
    private let uploader: PackUploader
    private let openData = PackSlot()
    private let openTree = PackSlot()
    private let counters = Mutex(Statistics())

    /// - Throws: ``RepositoryError/Code/readOnly``.
    package init(_ repository: OpenRepository, cancellation: Cancellation) throws {
        try repository.requireWritable()
        self.repository = repository
        pool = BufferPool(count: Self.packBufferCount, byteCount: OpenPack.bufferByteCount)
        uploader = PackUploader(repository: repository, pool: pool, cancellation: cancellation)
        let pool = pool
        cancellation.onCancel { pool.abort() }
    }

    /// What was added so far.
    package var statistics: Statistics { counters.withLock { $0 } }

    /// Stores what is left; call once, after the last worker is done, also after a failure.
    ///
    /// - Parameter discarding: drop what is not stored yet instead; for failures and cancellation.
    /// - Throws: the first error of any upload.
    package func finish(discarding: Bool = false) throws {
        for slot in [BlobKind.data, .tree] {
            if let pack = takeOpenPack(slot), pack.close() {
                if discarding { if pack.isPooled { pool.give(pack.buffer) } } else { uploader.push(pack) }
            }
        }
        if discarding { uploader.fail(CancellationFailure(reason: .failure)) }
        do { try uploader.finish() } catch {
            // What no index file tells of must be saved again by whoever uses this repository next.
            repository.index.forget(claimedAndIn: uploader.unindexedPacks)
            guard discarding, (error as? CancellationFailure)?.reason == .failure else { throw error }
        }
    }

    private func takeOpenPack(_ kind: BlobKind) -> OpenPack? {
        let slot = kind == .data ? openData : openTree
        return slot.exchange(nil)
    }

    /// Reserves room in the open pack of the kind, opening one when needed.
    func reserve(
        _ id: ObjectID, _ kind: BlobKind, length: Int, uncompressedLength: Int?
    ) throws -> (pack: OpenPack, offset: Int) {
        // A full pack is pushed outside the slot's lock: that waits while uploads are behind.
        let (full, pack, offset) = try (kind == .data ? openData : openTree).withPack { open in
            try reserve(id, kind, length, uncompressedLength, &open)
        }
        if let full, full.close() { uploader.push(full) }
        return (pack, offset)
    }

    private func reserve(
        _ id: ObjectID, _ kind: BlobKind, _ length: Int, _ uncompressedLength: Int?, _ open: inout OpenPack?
    ) throws -> (full: OpenPack?, pack: OpenPack, offset: Int) {
        if let pack = open, let offset = pack.reserve(id, length: length, uncompressedLength: uncompressedLength) {
            guard pack.isFull else { return (nil, pack, offset) }
            open = nil
            return (pack, pack, offset)
        }
        if let pack = open {
            open = nil
            if pack.close() { uploader.push(pack) }
        }
        let isOversized = length > OpenPack.bufferByteCount
        guard let buffer = isOversized ? RawBuffer(byteCount: length) : pool.take() else {
            throw uploader.failure ?? CancellationFailure(reason: .failure)
        }
        let pack = OpenPack(kind: kind, buffer: buffer, isPooled: !isOversized)
        guard let offset = pack.reserve(id, length: length, uncompressedLength: uncompressedLength) else {
            preconditionFailure("An empty pack has no room for \(length) bytes.")
        }
        if pack.isFull { return (pack, pack, offset) }
        open = pack
        return (nil, pack, offset)
    }

    func finishWriting(_ pack: OpenPack) { if pack.finishWriting() { uploader.push(pack) } }

    func count(_ kind: BlobKind, added: Int, packed: Int) {
        counters.withLock { counters in
            if kind == .data { counters.dataBlobs += 1 } else { counters.treeBlobs += 1 }
            counters.addedByteCount += UInt64(added)
            counters.packedByteCount += UInt64(packed)
        }
    }

    /// Saves blobs; belongs to one thread.
    package final class Worker {
        let saver: BlobSaver
        let sealer: Sealer
        private let hasher = SHA256Hasher()
        private let compressor = Compressor()
        private let compressibility = CompressibilityTest()
        private var scratch = RawBuffer(byteCount: Compressor.bound(8 << 20))

        /// - Throws: ``CryptoError`` when libcrypto fails.
        package init(_ saver: BlobSaver) throws {
            self.saver = saver
            sealer = try saver.repository.makeSealer()
        }

        /// Saves a blob unless the repository has it.
        ///
        /// - Returns: its id, and whether it was new. It is durable after ``BlobSaver/finish(discarding:)``.
        /// - Throws: the failure of an upload; cancellation.
        package func save(_ content: UnsafeRawBufferPointer, _ kind: BlobKind) throws -> (id: ObjectID, isNew: Bool) {
            let id = ObjectID(hashing: content, with: hasher)
            guard saver.repository.index.claim(id, kind) else { return (id, false) }
            guard content.count <= Int(UInt32.max) - 4096 else {
                throw FormatError("blob", "\(content.count) bytes are more than a pack can hold")
            }
            var payload = content
            var uncompressedLength: Int?
            let verdict = kind == .tree ? .compress(.standard) : compressibility.verdict(content)
            if case .compress(let effort) = verdict {
                let bound = Compressor.bound(content.count)
                if scratch.bytes.count < bound { scratch = RawBuffer(byteCount: bound) }
                if let size = compressor.compress(content, into: scratch.bytes, effort: effort),
                    size < content.count || kind == .tree
                {
                    payload = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(scratch.bytes)[0..<size])
                    uncompressedLength = content.count
                }
            }
            let length = payload.count + Sealer.overheadByteCount
            let (pack, offset) = try saver.reserve(id, kind, length: length, uncompressedLength: uncompressedLength)
            defer { saver.finishWriting(pack) }
            guard let target = pack.buffer.bytes.baseAddress else { return (id, true) }
            try sealer.seal(payload, into: target + offset)
            saver.count(kind, added: content.count, packed: length)
            return (id, true)
        }

        /// Saves a blob that is at hand as an array.
        package func save(_ content: [UInt8], _ kind: BlobKind) throws -> (id: ObjectID, isNew: Bool) {
            try content.withUnsafeBytes { try save($0, kind) }
        }
    }
}

/// The pack of one kind that takes blobs at the moment.
private final class PackSlot: Sendable {
    private let open = Condition<OpenPack?>(nil)

    func exchange(_ pack: OpenPack?) -> OpenPack? {
        open.withLockQuietly { open in
            defer { open = pack }
            return open
        }
    }

    func withPack<Result>(_ body: (inout OpenPack?) throws -> Result) rethrows -> Result {
        try open.withLockQuietly(body)
    }
}
