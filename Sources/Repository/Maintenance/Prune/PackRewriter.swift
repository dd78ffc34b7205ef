import Compression
import ObjectStorage
import Repository
import RepositoryFormat
import Synchronization
import Threads

/// Copies blobs from packs of one repository into new packs of the same or another one.
///
/// Each pack is read once, in the order of its bytes. Every blob is opened and proven by its hash before its copy
/// counts; within one repository the sealed bytes go on as they are, between two they are sealed anew, and nothing is
/// compressed again but what was not compressed and should be.
final class PackRewriter: Sendable {
    /// Bytes between two wanted blobs that are read along rather than asked for apart.
    private static let gapByteCount: Int64 = 256 << 10

    private let source: OpenRepository
    private let target: OpenRepository
    private let inventory: PackInventory
    private let saver: BlobSaver
    private let cancellation: Cancellation
    private let idle = Mutex<[Worker]>([])

    /// What one thread at a time works with.
    private final class Worker: @unchecked Sendable {
        // Safe: handed from thread to thread through `idle`, used by one at a time.
        let proof: BlobProof
        let saver: BlobSaver.Worker
        let compressor = Compressor()
        var compressed = RawBuffer(byteCount: 1 << 20)
        init(proof: BlobProof, saver: BlobSaver.Worker) {
            self.proof = proof
            self.saver = saver
        }
    }

    /// - Parameter target: the same object as `source` when packs are written anew within one repository.
    init(
        from source: OpenRepository, to target: OpenRepository, _ inventory: PackInventory, _ saver: BlobSaver,
        cancellation: Cancellation
    ) {
        self.source = source
        self.target = target
        self.inventory = inventory
        self.saver = saver
        self.cancellation = cancellation
    }

    /// What is wanted of a pack.
    struct Request: Sendable {
        let pack: ObjectID
        let byteCount: UInt64
        /// In the order of their offsets.
        let blobs: [PackedBlob]
    }

    /// Copies what is wanted of each pack; the saver is the caller's to finish.
    ///
    /// - Throws: ``MaintenanceError/Code/damaged`` for a blob that can be read nowhere; errors of both stores.
    func run(
        _ packs: [UInt32], of blobs: @escaping @Sendable (UInt32) -> Request, done: @escaping @Sendable () -> Void
    ) throws {
        try source.forEachConcurrently(packs, cancellation: cancellation, name: "repack", threadLimit: 3) { pack in
            let worker =
                try self.idle.withLock { $0.popLast() }
                ?? Worker(proof: BlobProof(self.source), saver: BlobSaver.Worker(self.saver))
            try self.copy(blobs(pack), worker)
            self.idle.withLock { $0.append(worker) }
            done()
        }
    }

    private func copy(_ request: Request, _ worker: Worker) throws {
        var position = 0
        while position < request.blobs.count {
            try cancellation.check()
            let run = nextRun(request, from: position)
            let bytes: [UInt8]
            do { bytes = try source.store.get(ObjectKind.pack.key(request.pack), range: run.range) } catch let error
                as ObjectStoreError where [.notFound, .invalidRange].contains(error.code)
            {
                for blob in request.blobs[run.blobs] { try copyElsewhere(blob, request.pack, error, worker) }
                position = run.blobs.upperBound
                continue
            }
            guard bytes.count == run.range.count else {
                // A store that breaks its word must not make us read beyond what it gave.
                let error = FormatError("pack", "the store gave \(bytes.count) of \(run.range.count) bytes")
                for blob in request.blobs[run.blobs] { try copyElsewhere(blob, request.pack, error, worker) }
                position = run.blobs.upperBound
                continue
            }
            for blob in request.blobs[run.blobs] {
                let start = Int(Int64(blob.offset) - run.range.lowerBound)
                try bytes.withUnsafeBytes { bytes in
                    let sealed = UnsafeRawBufferPointer(rebasing: bytes[start..<start + Int(blob.length)])
                    do { try add(blob, sealed, worker) } catch let error where Self.isDamage(error) {
                        try copyElsewhere(blob, request.pack, error, worker)
                    }
                }
            }
            position = run.blobs.upperBound
        }
    }

    /// The blobs from `start` on that are fetched together: all of a pack of which most is wanted, else neighbours.
    private func nextRun(_ request: Request, from start: Int) -> (blobs: Range<Int>, range: Range<Int64>) {
        let wanted = request.blobs.reduce(UInt64(0)) { $0 + UInt64($1.length) }
        let isWhole = wanted * 2 >= request.byteCount
        var end = start
        var last = Int64(request.blobs[start].offset)
        let first = last
        while end < request.blobs.count {
            let blob = request.blobs[end]
            guard isWhole || Int64(blob.offset) - last <= Self.gapByteCount else { break }
            last = max(last, Int64(blob.offset) + Int64(blob.length))
            end += 1
        }
        return (start..<end, first..<last)
    }

    private static func isDamage(_ error: any Error) -> Bool {
        !(error is ObjectStoreError) && !(error is RepositoryError) && !(error is CancellationFailure)
    }

    private func add(_ blob: PackedBlob, _ sealed: UnsafeRawBufferPointer, _ worker: Worker) throws {
        try worker.proof.open(blob, sealed: sealed) { opened in
            if blob.uncompressedLength == nil, blob.kind == .tree || source !== target, opened.content.count > 0 {
                // Version 2 has its trees compressed; what comes from version 1 is compressed where that helps.
                let bound = Compressor.bound(opened.content.count)
                if worker.compressed.bytes.count < bound { worker.compressed = RawBuffer(byteCount: bound) }
                if let size = worker.compressor.compress(opened.content, into: worker.compressed.bytes),
                    blob.kind == .tree || size < opened.content.count
                {
                    return try worker.saver.savePayload(
                        blob.id, blob.kind,
                        payload: UnsafeRawBufferPointer(
                            rebasing: UnsafeRawBufferPointer(worker.compressed.bytes)[0..<size]),
                        uncompressedLength: UInt32(opened.content.count))
                }
            }
            if source === target {
                try worker.saver.saveSealed(
                    blob.id, blob.kind, sealed: sealed, uncompressedLength: blob.uncompressedLength)
            } else {
                try worker.saver.savePayload(
                    blob.id, blob.kind, payload: opened.payload, uncompressedLength: blob.uncompressedLength)
            }
        }
    }

    /// Takes a blob from another pack that has it.
    private func copyElsewhere(
        _ blob: PackedBlob, _ pack: ObjectID, _ failure: any Error, _ worker: Worker
    ) throws {
        let number = inventory.tables.withLock { $0.find(blob.id, blob.kind) }
        let copies = number.map { inventory.copies(of: UInt32(truncatingIfNeeded: $0)) } ?? []
        for (other, otherPack) in copies where otherPack != pack {
            do {
                let range = Int64(other.offset)..<Int64(other.offset) + Int64(other.length)
                let sealed = try source.store.get(ObjectKind.pack.key(otherPack), range: range)
                return try sealed.withUnsafeBytes { try add(other, $0, worker) }
            } catch let error where Self.isDamage(error) || Self.isMissing(error) { continue }
        }
        throw MaintenanceError.damagedBlob(blob.id, blob.kind, pack: pack, cause: failure)
    }

    private static func isMissing(_ error: any Error) -> Bool {
        guard let error = error as? ObjectStoreError else { return false }
        return error.code == .notFound || error.code == .invalidRange
    }
}
