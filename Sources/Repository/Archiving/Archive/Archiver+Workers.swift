import CLinux
import Chunking
import Glibc
import Repository
import RepositoryFormat
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
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | CLINUX_O_NOFOLLOW
        let descriptor = (job.name + [0]).withUnsafeBytes { bytes -> Int32 in
            let text = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
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
            let subtree = try worker.save(job.takeTree(), .tree).id
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
            var filled = 0
            // One byte more than it had: reading less than asked is how its end shows.
            while filled <= Int(node.size), filled < scratch.bytes.count {
                let count = Glibc.read(
                    descriptor, scratch.bytes.baseAddress.map { $0 + filled },
                    min(Int(node.size) + 1 - filled, scratch.bytes.count - filled))
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else {
                    return try leaveOut(job, "It cannot be read: \(systemMessage(errno)).", worker)
                }
                if count == 0 { break }
                filled += count
            }
            var node = node
            if filled != Int(node.size) {
                warn(
                    job.directory.childText(job.name),
                    "It changed while it was read: \(node.size) bytes became \(filled) or more.")
                filled = min(filled, Int(node.size))
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
        var total: UInt64 = 0
        while true {
            let space = feeder.space
            let count = Glibc.read(descriptor, space.baseAddress, space.count)
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

    func push(_ buffer: RawBuffer, _ count: Int, _ content: ContentJob) {
        let number = content.announce(byteCount: count)
        work.push(.chunk(buffer, count: count, content, number: number))
    }
}
