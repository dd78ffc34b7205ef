import Chunking
import Glibc
package import Repository
import RepositoryFormat
import Synchronization
package import Threads

/// Turns file trees and streams into trees of a repository; one object is one backup.
///
/// Stages, each on threads of its own behind a bounded queue: the caller's thread walks directories and compares them
/// with the previous snapshot; readers cut large files into chunks; workers hash, look up, compress and seal chunks and
/// whole small files, and write the trees that become complete; uploaders store packs. Memory is bounded by the pools of
/// chunk and pack buffers, not by the size of the tree.
package final class Archiver: Sendable {
    let repository: OpenRepository
    let cancellation: Cancellation
    let observer: any ArchiveObserver
    let nodes = NodeBuilder()
    let saver: BlobSaver
    let chunkPool: BufferPool
    let work = BoundedQueue<Work>(bound: 16)
    let largeFiles = BoundedQueue<FileJob>(bound: 16)
    let probe: ReadProbe?
    let zeroChunkID = Mutex<ObjectID?>(nil)
    private let counters = Mutex(ArchiveStatistics())
    private let firstFailure = Mutex<(any Error)?>(nil)
    private let threads = Mutex<[WorkerThread]>([])
    /// Where the walk or stream at hand puts its finished node; walks come one after the other.
    private let root = Condition<RootResult>(.pending)

    /// What a worker does in one go.
    enum Work: Sendable {
        /// Small files, as many as make the wake-up worth while.
        case files([FileJob])
        /// A chunk of a large file or a stream.
        case chunk(RawBuffer, count: Int, ContentJob, number: Int)
    }

    /// Starts the stages. The index of the repository must be loaded.
    ///
    /// - Parameter probe: for tests of files that change while they are read.
    /// - Throws: ``RepositoryError/Code/readOnly``.
    package init(
        _ repository: OpenRepository, observer: any ArchiveObserver, cancellation: Cancellation,
        probe: ReadProbe? = nil
    ) throws {
        self.probe = probe
        self.repository = repository
        self.observer = observer
        self.cancellation = cancellation
        saver = try BlobSaver(repository, cancellation: cancellation)
        let processors = max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let readerCount = max(1, processors / 4)
        chunkPool = BufferPool(count: processors + 2 * readerCount + 2, byteCount: Chunker.maximumByteCount)
        let (pool, work, largeFiles) = (chunkPool, work, largeFiles)
        cancellation.onCancel {
            pool.abort()
            work.abort()
            largeFiles.abort()
        }
        var started: [WorkerThread] = []
        for number in 0..<processors {
            started.append(WorkerThread(name: "save-\(number)") { [self] in try runWorker() })
        }
        for number in 0..<readerCount {
            started.append(WorkerThread(name: "read-\(number)") { [self] in try runReader() })
        }
        threads.withLock { $0 = started }
    }

    /// What was archived so far.
    package var statistics: ArchiveStatistics { counters.withLock { $0 } }

    /// What was added to the repository so far.
    package var added: BlobSaver.Statistics { saver.statistics }

    /// Ends the stages and stores everything that is left. Call once.
    ///
    /// - Throws: the first failure of any stage; what was stored by then is not referenced by anything.
    package func finish() throws {
        endStages()
        let failure = firstFailure.withLock { $0 }
        try saver.finish(discarding: failure != nil || cancellation.isCancelled)
        if let failure { throw failure }
        try cancellation.check()
    }

    /// Ends the stages after a failure of the caller, and drops what is not stored.
    package func abandon() {
        chunkPool.abort()
        work.abort()
        largeFiles.abort()
        endStages()
        // The failure that led here is the one to tell.
        try? saver.finish(discarding: true)
    }

    private func endStages() {
        work.finish()
        largeFiles.finish()
        for thread in threads.withLock({ list in
            defer { list = [] }; return list
        }) {
            do { try thread.join() } catch { fail(error) }
        }
    }

    /// Notes the first failure and wakes everybody who waits.
    func fail(_ error: any Error) {
        // Stages that were woken by a cancellation know less about it than the cancellation itself.
        let known = error is CancellationFailure ? cancellation.reason.map { CancellationFailure(reason: $0) } : nil
        firstFailure.withLock { $0 = $0 ?? known ?? error }
        chunkPool.abort()
        work.abort()
        largeFiles.abort()
    }

    /// - Throws: the first failure of any stage; cancellation.
    func check() throws {
        if let failure = firstFailure.withLock({ $0 }) { throw failure }
        try cancellation.check()
    }

    /// What the walk or stream at hand came to.
    private enum RootResult { case pending, finished(TreeNode?) }

    func beginRoot() { root.withLock { $0 = .pending } }

    /// Ends the walk or stream at hand; nil when its root could not be read.
    func rootFinished(_ node: TreeNode?) { root.withLock { $0 = .finished(node) } }

    /// Waits for the node that ``rootFinished(_:)`` sets.
    ///
    /// - Throws: the first failure of any stage; cancellation; ``ArchiveError/Code/unreadableRoot``.
    func waitForRoot(_ path: String) throws -> TreeNode {
        while true {
            let result = root.wait(timeout: .milliseconds(100)) { result -> TreeNode?? in
                if case .finished(let node) = result { node } else { nil }
            }
            guard let result else {
                try check()
                continue
            }
            guard let node = result else { throw ArchiveError.unreadableRoot(path, EACCES) }
            return node
        }
    }

    func count(_ change: (inout ArchiveStatistics) -> Void) { counters.withLock { change(&$0) } }

    func warn(_ path: String, _ message: String) {
        count { $0.warnings += 1 }
        observer.warning(path: path, message: message)
    }
}
