import CLinux
import Chunking
import Glibc
import Repository
import RepositoryFormat
import Synchronization
import Threads

extension Archiver {
    /// Saves chunks and small files until the queue ends.
    func runWorker() throws {
        do {
            let worker = try BlobSaver.Worker(saver)
            // One byte more than the largest small file, so that a file that grew is noticed.
            let scratch = RawBuffer(byteCount: Chunker.minimumByteCount)
            while let item = work.pop() {
                switch item {
                case .files(let jobs):
                    for job in jobs { try saveSmall(job, scratch, worker) }
                case .chunk(let buffer, let count, let content, let number):
                    let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer.bytes)[0..<count])
                    let id = try worker.save(bytes, .data).id
                    // A buffer that held a long chunk keeps no more memory than an ordinary one.
                    if count > 3 << 20 { buffer.trim(keeping: 3 << 20) }
                    chunkPool.give(buffer)
                    self.count { $0.bytes += UInt64(count) }
                    try content.save(id, number: number, worker)
                }
            }
        } catch {
            fail(error)
        }
    }

    /// Cuts large files into chunks until the queue ends.
    func runReader() throws {
        do {
            let worker = try BlobSaver.Worker(saver)
            while let job = largeFiles.pop() {
                try withFile(job, worker) { descriptor, node in try readLarge(job, descriptor, node, worker) }
            }
        } catch {
            fail(error)
        }
    }

    /// Opens a file and makes its node from what is open now; a file that cannot be opened becomes a warning.
    private func withFile(
        _ job: FileJob, _ worker: BlobSaver.Worker, _ body: (Int32, TreeNode) throws -> Void
    ) throws {
        probe?(.opening(name: job.name))
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | CLINUX_O_NOFOLLOW
        let descriptor = job.name.withTerminator { text -> Int32 in
            let quiet = clinux_openat(job.directory.descriptor, text, flags | CLINUX_O_NOATIME, 0)
            return quiet < 0 && errno == EPERM ? clinux_openat(job.directory.descriptor, text, flags, 0) : quiet
        }
        guard descriptor >= 0 else {
            let code = errno
            let problem =
                code == ENOENT ? "It vanished before it could be read." : "It cannot be opened: \(systemMessage(code))."
            return try leaveOut(job, problem, worker)
        }
        defer { close(descriptor) }
        var stat = clinux_stat()
        guard clinux_fstat(descriptor, &stat) == 0, stat.mode & 0o170000 == 0o100000,
            var node = nodes.node(name: job.node.name, stat)
        else { return try leaveOut(job, "It was replaced by something that is no file while it was read.", worker) }
        node.extendedAttributes = job.node.extendedAttributes
        try body(descriptor, node)
    }

    private func leaveOut(_ job: FileJob, _ problem: String, _ worker: BlobSaver.Worker) throws {
        warn(job.directory.childText(job.name), problem)
        try complete(nil, job, worker)
    }

    /// Hands a finished node to its directory, and finishes directories that become complete.
    func complete(_ node: TreeNode?, _ job: FileJob, _ worker: BlobSaver.Worker) throws {
        if node != nil {
            count { if job.isNew { $0.filesNew += 1 } else { $0.filesChanged += 1 } }
        }
        guard let parent = job.parent else { return rootFinished(node) }
        if parent.job.complete(node, slot: parent.slot) { try finish(parent.job, worker) }
    }

    /// Saves the tree of a complete directory, then of its parent if that made it complete, and so on.
    func finish(_ job: DirectoryJob, _ worker: BlobSaver.Worker) throws {
        var job = job
        while true {
            let tree = job.takeTree()
            let subtree: ObjectID
            if let previous = job.previous, previous.bytes == tree, repository.index.contains(previous.id, .tree) {
                // Its id is known; hashing it again would give the same.
                subtree = previous.id
            } else {
                subtree = try worker.save(tree, .tree).id
            }
            count { $0.directories += 1 }
            let node = job.finishedNode(subtree: subtree)
            guard let parent = job.parent else { return rootFinished(node) }
            guard parent.job.complete(node, slot: parent.slot) else { return }
            job = parent.job
        }
    }

    private func saveSmall(_ job: FileJob, _ scratch: RawBuffer, _ worker: BlobSaver.Worker) throws {
        try withFile(job, worker) { descriptor, node in
            guard node.size < UInt64(Chunker.minimumByteCount) else {
                // It grew since the walk saw it. Its chunks take no buffers of the stage's pool: were all workers to wait
                // for those, none would free any.
                return try saveGrown(job, descriptor, node, worker)
            }
            probe?(.reading(name: job.name, descriptor: descriptor, offset: 0))
            var filled = 0
            // One byte more than it had: reading less than asked is how its end shows. A file that grew, or one whose
            // size the kernel does not know beforehand, is read to its end.
            var wanted = Int(node.size) + 1
            while filled < wanted {
                let count = Glibc.read(
                    descriptor, scratch.bytes.baseAddress.map { $0 + filled }, wanted - filled)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else {
                    return try leaveOut(job, "It cannot be read: \(systemMessage(errno)).", worker)
                }
                if count == 0 { break }
                filled += count
                if filled > Int(node.size) { wanted = scratch.bytes.count }
            }
            if filled == scratch.bytes.count, lseek(descriptor, 0, SEEK_SET) == 0 {
                return try saveGrown(job, descriptor, node, worker)
            }
            var node = node
            if filled != Int(node.size) {
                warn(
                    job.directory.childText(job.name),
                    "It changed while it was read: \(node.size) bytes became \(filled).")
            }
            node.size = UInt64(filled)
            node.content = []
            if filled > 0 {
                let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(scratch.bytes)[0..<filled])
                node.content = [try worker.save(bytes, .data).id]
            }
            count { $0.bytes += UInt64(filled) }
            try complete(node, job, worker)
        }
    }

    /// Reads a large file in chunks that the workers save.
    private func readLarge(_ job: FileJob, _ descriptor: Int32, _ node: TreeNode, _ worker: BlobSaver.Worker) throws {
        try readChunks(job, descriptor, node, worker, pool: chunkPool) { push($0, $1, $2) }
    }

    /// Reads a large file and saves its chunks on this thread, with buffers of its own.
    private func saveGrown(_ job: FileJob, _ descriptor: Int32, _ node: TreeNode, _ worker: BlobSaver.Worker) throws {
        let pool = BufferPool(count: 2, byteCount: Chunker.maximumByteCount)
        try readChunks(job, descriptor, node, worker, pool: pool) { buffer, count, content in
            let number = content.announce(byteCount: count)
            let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer.bytes)[0..<count])
            let id = try worker.save(bytes, .data).id
            pool.give(buffer)
            self.count { $0.bytes += UInt64(count) }
            try content.save(id, number: number, worker)
        }
    }

    /// Cuts an open file; one that ends early or goes on is captured as it was read, with a warning.
    private func readChunks(
        _ job: FileJob, _ descriptor: Int32, _ node: TreeNode, _ worker: BlobSaver.Worker, pool: BufferPool,
        emit: (RawBuffer, Int, ContentJob) throws -> Void
    ) throws {
        guard var feeder = ChunkFeeder(chunker: repository.chunker, pool: pool) else { return try check() }
        let content = ContentJob { [self] ids, byteCount, worker in
            var finished = node
            finished.content = ids
            finished.size = byteCount
            try complete(finished, job, worker)
        }
        var holes = HoleMap(descriptor)
        var total: UInt64 = 0
        while true {
            probe?(.reading(name: job.name, descriptor: descriptor, offset: total))
            var space = feeder.space
            if holes != nil {
                guard let segment = holes?.segment(at: total) else { break }
                if segment.isHole {
                    let skipped = try skipHole(segment, total, &feeder, content, worker)
                    guard skipped == 0 else {
                        total += skipped
                        continue
                    }
                }
                let left = Int(clamping: segment.range.upperBound - total)
                space = UnsafeMutableRawBufferPointer(rebasing: space[..<min(space.count, left)])
                if segment.isHole {
                    space.initializeMemory(as: UInt8.self, repeating: 0)
                    total += UInt64(space.count)
                    guard try feeder.advance(space.count, emit: { try emit($0, $1, content) }) else {
                        return try check()
                    }
                    continue
                }
            }
            let count = pread(descriptor, space.baseAddress, space.count, off_t(clamping: total))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                // What was cut so far stays unused; the file itself is left out.
                let code = errno
                feeder.abandon()
                return try leaveOut(job, "It cannot be read: \(systemMessage(code)).", worker)
            }
            if count == 0 { break }
            total += UInt64(count)
            guard try feeder.advance(count, emit: { try emit($0, $1, content) }) else { return try check() }
        }
        if total != node.size {
            warn(job.directory.childText(job.name), "It changed while it was read: \(node.size) bytes became \(total).")
        }
        try feeder.finish { try emit($0, $1, content) }
        try content.end(worker)
    }

    /// Takes the whole chunks of a hole without looking at a byte: the fingerprint of zeros is zero, so that a chunk that
    /// starts in a hole is cut as soon as it may be.
    ///
    /// - Parameter position: in the hole; how far the file was read.
    /// - Returns: how far the file need not be read; the feeder is then empty.
    private func skipHole(
        _ hole: HoleMap.Segment, _ position: UInt64, _ feeder: inout ChunkFeeder, _ content: ContentJob,
        _ worker: BlobSaver.Worker
    ) throws -> UInt64 {
        let buffered = UInt64(feeder.pendingByteCount)
        // What was read of this hole behind the last cut starts the next chunk, whose cut is known as well.
        guard position - hole.range.lowerBound >= buffered else { return 0 }
        let start = position - buffered
        let size = UInt64(Chunker.minimumByteCount)
        let chunks = (hole.range.upperBound - start) / size
        guard chunks > 0 else { return 0 }
        let id = try zeroChunk(worker)
        feeder.drop()
        content.add(id, byteCount: Chunker.minimumByteCount, count: Int(clamping: chunks))
        count { $0.bytes += chunks * size }
        return start + chunks * size - position
    }

    /// The id of the shortest chunk of zeros, which is saved when it is first needed.
    private func zeroChunk(_ worker: BlobSaver.Worker) throws -> ObjectID {
        try zeroChunkID.withLock { known in
            if let known { return known }
            let id = try worker.save([UInt8](repeating: 0, count: Chunker.minimumByteCount), .data).id
            known = id
            return id
        }
    }

    func push(_ buffer: RawBuffer, _ count: Int, _ content: ContentJob) {
        let number = content.announce(byteCount: count)
        work.push(.chunk(buffer, count: count, content, number: number))
    }
}
