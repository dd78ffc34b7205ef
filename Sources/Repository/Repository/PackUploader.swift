import Glibc
import ObjectStorage
import RepositoryCrypto
import RepositoryFormat
import Synchronization
import Threads

/// Finishes packs and stores them, then their index: threads of its own behind a short queue.
///
/// A pack is in the index only after it is stored, an index file is stored only after its packs (restic's design, "Read
/// and Write Ordering"), so that a crash at any moment leaves nothing but packs that no index names.
final class PackUploader: Sendable {
    /// Blobs after which an index file is written; restic allows 8 MiB a file, which is about 50,000 blobs.
    private static let indexBlobCount = 40_000

    private struct PendingIndex {
        var packs: [(id: ObjectID, blobs: [PackedBlob])] = []
        var blobCount = 0
    }

    private let repository: OpenRepository
    private let pool: BufferPool
    private let cancellation: Cancellation
    private let queue = BoundedQueue<OpenPack>(bound: 2)
    private let threads = Mutex<[WorkerThread]>([])
    private let pending = Mutex(PendingIndex())
    private let firstFailure = Mutex<(any Error)?>(nil)

    init(repository: OpenRepository, pool: BufferPool, cancellation: Cancellation) {
        self.repository = repository
        self.pool = pool
        self.cancellation = cancellation
        let count = min(max(1, repository.store.connectionCount), 2)
        threads.withLock { threads in
            threads = (0..<count).map { number in
                WorkerThread(name: "upload-\(number)") { [self] in
                    let sealer = try repository.makeSealer()
                    let hasher = SHA256Hasher()
                    while let pack = queue.pop() {
                        defer { if pack.isPooled { pool.give(pack.buffer) } }
                        guard failure == nil, !cancellation.isCancelled else { continue }
                        do { try upload(pack, sealer, hasher) } catch { fail(error) }
                    }
                }
            }
        }
    }

    /// The first error of any thread; nothing is stored after it.
    var failure: (any Error)? { firstFailure.withLock { $0 } }

    /// Notes an error and wakes everybody who waits for a buffer.
    func fail(_ error: any Error) {
        firstFailure.withLock { $0 = $0 ?? error }
        pool.abort()
    }

    /// The packs that are stored and that no index file tells of.
    var unindexedPacks: Set<ObjectID> { pending.withLock { Set($0.packs.map(\.id)) } }

    /// Takes a full pack; waits while two are waiting already.
    func push(_ pack: OpenPack) { queue.push(pack) }

    /// Waits until all packs are stored, then stores the rest of the index.
    func finish() throws {
        queue.finish()
        for thread in threads.withLock({ threads in
            defer { threads = [] }; return threads
        }) { try thread.join() }
        if let failure { throw failure }
        try cancellation.check()
        try saveIndex(atLeast: 1)
    }

    private func upload(_ pack: OpenPack, _ sealer: Sealer, _ hasher: SHA256Hasher) throws {
        let (blobs, byteCount) = pack.contents
        guard !blobs.isEmpty else { return }
        let sealedHeader = try sealer.seal(PackHeader.encoded(blobs))
        let trailer = sealedHeader + PackHeader.lengthField(sealedHeaderByteCount: sealedHeader.count)
        let body = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(pack.buffer.bytes)[0..<byteCount])
        let store = repository.store
        let (id, file) = try trailer.withUnsafeBytes { trailer in
            hasher.update(body)
            hasher.update(trailer)
            let id = ObjectID { hasher.finish(into: $0) }
            return (id, try store.spool([body, trailer], sha256: id.hexadecimal))
        }
        defer { unlink(file.path) }
        try store.put(file, as: ObjectKind.pack.key(id), ifAbsent: false)
        // The next backup compares with these trees.
        if pack.kind == .tree { trailer.withUnsafeBytes { repository.cache?.write(.pack, id, [body, $0]) } }
        repository.index.insert(pack: id, blobs: blobs)
        pending.withLock { pending in
            pending.packs.append((id, blobs))
            pending.blobCount += blobs.count
        }
        try saveIndex(atLeast: Self.indexBlobCount)
    }

    private func saveIndex(atLeast blobCount: Int) throws {
        let packs = pending.withLock { pending -> [(id: ObjectID, blobs: [PackedBlob])] in
            guard pending.blobCount >= blobCount else { return [] }
            defer { pending = PendingIndex() }
            return pending.packs
        }
        guard !packs.isEmpty else { return }
        do { try repository.saveUnpacked(.index, IndexDocument.encoded(packs)) } catch {
            pending.withLock { $0.packs += packs }
            throw error
        }
    }
}
