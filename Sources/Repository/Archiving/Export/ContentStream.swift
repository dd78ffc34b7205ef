import ObjectStorage
import Repository
import RepositoryFormat
import Threads

/// Bytes in order, some at hand and some in blobs that several threads load ahead.
///
/// One thread appends and then finishes; another takes the buffers. What is appended and not yet taken is bounded, so
/// memory is, too. Blobs that lie close together in a pack are asked for at once.
final class ContentStream: Sendable {
    /// Content that may wait to be taken.
    private static let waitingByteCount = 64 << 20
    /// The most that is asked for at once, and how many unwanted bytes between two blobs are cheaper than asking twice.
    private static let runByteCount = 4 << 20
    private static let gapByteCount = 256 << 10

    fileprivate enum Piece: Sendable {
        case bytes([UInt8])
        case blob(PackedBlob, path: [UInt8])
    }

    /// A few pieces whose blobs one request to the store gets.
    fileprivate final class Run: Sendable {
        let pieces: [Piece]
        let pack: ObjectID?
        let range: Range<Int64>
        let result = Condition<Result<[UInt8], any Error>?>(nil)

        init(_ pieces: [Piece], _ pack: ObjectID?, _ range: Range<Int64>) {
            self.pieces = pieces
            self.pack = pack
            self.range = range
        }
    }

    /// What the appending thread has not handed on yet.
    struct Open {
        fileprivate var pieces: [Piece] = []
        fileprivate var pack: ObjectID?
        fileprivate var range: Range<Int64> = 0..<0
        fileprivate var byteCount = 0
    }

    private let repository: OpenRepository
    private let cancellation: Cancellation
    private let ordered = BoundedQueue<Run>(bound: ContentStream.waitingByteCount)
    private let wanted = BoundedQueue<Run>(bound: ContentStream.waitingByteCount)

    init(_ repository: OpenRepository, cancellation: Cancellation) {
        self.repository = repository
        self.cancellation = cancellation
    }

    // MARK: Appending

    /// Appends bytes at hand.
    func append(_ bytes: [UInt8], to open: inout Open) throws {
        guard !bytes.isEmpty else { return }
        open.pieces.append(.bytes(bytes))
        open.byteCount += bytes.count
        if open.byteCount >= Self.runByteCount { try handOn(&open) }
    }

    /// Appends the content of a blob.
    ///
    /// - Parameter path: the file that wants it, for saying whose content is damaged.
    func append(_ location: BlobIndex.Location, path: [UInt8], to open: inout Open) throws {
        let blob = location.blob
        let (start, end) = (Int64(blob.offset), Int64(blob.offset) + Int64(blob.length))
        if open.pack == location.pack, start >= open.range.upperBound,
            start - open.range.upperBound <= Self.gapByteCount, end - open.range.lowerBound <= Self.runByteCount
        {
            open.range = open.range.lowerBound..<end
        } else {
            if open.pack != nil { try handOn(&open) }
            open.pack = location.pack
            open.range = start..<end
        }
        open.pieces.append(.blob(blob, path: path))
        open.byteCount += blob.contentByteCount
        if open.byteCount >= Self.runByteCount { try handOn(&open) }
    }

    /// Ends the stream; with an error, whoever takes the buffers gets it behind what was appended before.
    func finish(_ open: inout Open, _ failure: (any Error)? = nil) {
        if failure == nil { try? handOn(&open) }
        if let failure {
            let run = Run([], nil, 0..<0)
            run.result.withLock { $0 = .failure(failure) }
            ordered.push(run)
        }
        ordered.finish()
        wanted.finish()
    }

    private func handOn(_ open: inout Open) throws {
        try cancellation.check()
        let run = Run(open.pieces, open.pack, open.range)
        let cost = open.byteCount
        open = Open()
        // Both refuse only when nobody takes buffers any more.
        guard ordered.push(run, cost: cost), wanted.push(run, cost: cost) else {
            throw CancellationFailure(reason: .failure)
        }
    }

    // MARK: Taking

    /// Starts the loading threads, and calls `body` with each buffer in order until the stream has ended.
    ///
    /// - Throws: what `body` throws, what went wrong while appending, damage as ``ArchiveError/Code/damaged``, errors of
    ///   the store. Nothing is loaded any more then.
    func forEachBuffer(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let count = max(2, min(4, repository.store.connectionCount))
        let threads = (0..<count).map { number in
            WorkerThread(name: "export-\(number)") { [self] in try load() }
        }
        var failure: (any Error)?
        do {
            while let run = ordered.pop() {
                try cancellation.check()
                guard let result = run.result.wait({ $0 }) else { break }
                try result.get().withUnsafeBytes(body)
            }
        } catch { failure = error }
        ordered.abort()
        wanted.abort()
        for thread in threads {
            do { try thread.join() } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
        try cancellation.check()
    }

    private func load() throws {
        let loader = try BlobLoader(repository)
        while let run = wanted.pop() {
            let result = Result { try content(of: run, loader) }
            run.result.withLock { $0 = result }
        }
    }

    private func content(of run: Run, _ loader: BlobLoader) throws -> [UInt8] {
        var output: [UInt8] = []
        guard let pack = run.pack else {
            for case .bytes(let bytes) in run.pieces { output += bytes }
            return output
        }
        // A pack that is damaged or gone: each blob is looked for alone, and may be elsewhere, too.
        var sealed: [UInt8]?
        do {
            sealed = try repository.store.get(ObjectKind.pack.key(pack), range: run.range)
        } catch let error as ObjectStoreError where [.notFound, .invalidRange, .integrity].contains(error.code) {}
        if sealed?.count != run.range.count { sealed = nil }
        for piece in run.pieces {
            switch piece {
            case .bytes(let bytes): output += bytes
            case .blob(let blob, let path):
                do {
                    try append(blob, pack, sealed, Int(Int64(blob.offset) - run.range.lowerBound), loader, to: &output)
                } catch {
                    throw ArchiveError.damaged(String(decoding: path, as: UTF8.self), error)
                }
            }
        }
        return output
    }

    private func append(
        _ blob: PackedBlob, _ pack: ObjectID, _ sealed: [UInt8]?, _ offset: Int, _ loader: BlobLoader,
        to output: inout [UInt8]
    ) throws {
        let before = output.count
        do {
            guard let sealed else { return output += try loader.load(blob.id, blob.kind) }
            try sealed.withUnsafeBytes { sealed in
                let bytes = UnsafeRawBufferPointer(rebasing: sealed[offset..<offset + Int(blob.length)])
                try loader.open(blob, pack: pack, sealed: bytes) { output.append(contentsOf: $0) }
            }
        } catch is RepositoryError where sealed != nil {
            output.removeSubrange(before...)
            output += try loader.load(blob.id, blob.kind)
        }
    }
}
