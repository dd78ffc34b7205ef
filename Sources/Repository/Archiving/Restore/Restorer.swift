import CLinux
import Glibc
import ObjectStorage
package import Repository
package import RepositoryFormat
import Synchronization
package import Threads

/// Writes trees of a repository back to a file system.
///
/// First all directories, links and special files are made and the wanted blobs are sorted by pack; then each pack is
/// read once, in runs of neighbouring blobs: some threads fetch them ahead, others prove, open and write them to all
/// files that want a blob; then the directories get their times. Runs of zeros become holes. What is damaged or cannot be
/// written is told and left out; everything else is restored. What stands in the place of a file stays until the new one
/// is complete. No path is ever looked up but that of the target: depth has no limit.
package final class Restorer: Sendable {
    /// The bytes that are fetched ahead, beside what each thread holds.
    private static let aheadByteCount = 16 << 20

    let repository: OpenRepository
    let observer: any RestoreObserver
    let cancellation: Cancellation
    let metadata = MetadataWriter()
    let links: RestoredLinks
    private let counters = Mutex(RestoreStatistics())
    private let fatal = Mutex<(any Error)?>(nil)

    /// The index of the repository must be loaded.
    ///
    /// - Parameter links: the same for all restores of one snapshot, so that hard links between them come back.
    package init(
        _ repository: OpenRepository, observer: any RestoreObserver, cancellation: Cancellation,
        links: RestoredLinks = RestoredLinks()
    ) {
        self.repository = repository
        self.observer = observer
        self.cancellation = cancellation
        self.links = links
    }

    var directories: RestoreDirectories { links.directories }

    /// What was restored so far.
    package var statistics: RestoreStatistics { counters.withLock { $0 } }

    /// Restores an entry: a directory with everything below it, or a single file.
    ///
    /// - Parameters:
    ///   - node: as a tree has it; its own name does not matter.
    ///   - path: absolute; its parent must exist. An existing directory is filled, files in the way are replaced.
    /// - Throws: ``ArchiveError`` when the file system is full or the path itself cannot be made; errors of the store;
    ///   cancellation. Damaged blobs and refused entries are told to the observer instead.
    package func restore(_ node: TreeNode, to path: String) throws {
        // On a thread of its own, whose umask is nobody else's.
        try WorkerThread(name: "restore") { [self] in try run(node, Array(path.utf8)) }.join()
        for refusal in metadata.takeRefusals() { warn(refusal.path, refusal.message) }
    }

    /// Gives the calling thread a umask of its own that masks nothing.
    private static func clearUmask() -> Bool {
        guard clinux_unshare_umask() == 0 else { return false }
        umask(0)
        return true
    }

    private func run(_ node: TreeNode, _ path: [UInt8]) throws {
        var planner = try RestorePlanner(self, isUmaskClear: Self.clearUmask())
        try planner.add(node, path: path)
        try cancellation.check()
        let plan = RestorePlan(planner)
        do { try write(plan) } catch {
            // Half a file would pass for a whole one.
            for file in plan.files where file.progress == .created {
                remove(file, after: file.fail(), planner.entries)
            }
            throw error
        }
        for (number, attributes, fresh) in planner.directories.reversed() { finish(number, attributes, fresh) }
    }

    /// Sets what a directory has beside its entries, when those are in place.
    private func finish(_ number: UInt32, _ attributes: EntryAttributes, _ fresh: FreshEntry) {
        if let (parent, name) = directories.place(number), directories.facts(parent).isNew {
            // By name, so that all directories of one need only that one open.
            guard let handle = directories.handle(parent) else {
                return warn(directories.path(number, []), "It was moved away while it was restored.")
            }
            return metadata.apply(attributes, to: name, in: handle, fresh, isPrivate: true)
        }
        guard let handle = directories.handle(number) else {
            return warn(directories.path(number, []), "It was moved away while it was restored.")
        }
        metadata.apply(attributes, to: handle.descriptor, fresh, path: handle.path)
    }

    private func write(_ plan: RestorePlan) throws {
        guard !plan.runs.isEmpty else { return }
        let queue = BoundedQueue<FetchedRun>(bound: Self.aheadByteCount)
        let token = cancellation.onCancel { queue.abort() }
        defer { cancellation.remove(token) }
        // More threads than processors only contend for the locks of the directories in which they make files.
        let writerCount = min(max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN))), plan.runs.count)
        let writers = (0..<writerCount).map { number in
            WorkerThread(name: "restore-\(number)") { [self] in
                attempt(queue) {
                    let writer = try RunWriter(self, plan, isUmaskClear: Self.clearUmask())
                    while let fetched = queue.pop() { try writer.write(fetched.run, fetched.bytes) }
                }
            }
        }
        fetch(plan, into: queue)
        queue.finish()
        for writer in writers { try writer.join() }
        if let failure = fatal.withLock({ $0 }) { throw failure }
        try cancellation.check()
    }

    /// Fetches all runs ahead of the writers, several at once.
    private func fetch(_ plan: RestorePlan, into queue: BoundedQueue<FetchedRun>) {
        let position = SharedPosition()
        let fetchers = (0..<min(max(1, min(repository.store.connectionCount, 4)), plan.runs.count)).map { number in
            WorkerThread(name: "fetch-\(number)") { [self] in
                attempt(queue) {
                    while let run = position.next(below: plan.runs.count).map({ plan.runs[$0] }) {
                        try cancellation.check()
                        let bytes = try fetch(run, plan.packs[Int(run.pack)])
                        guard queue.push(FetchedRun(run: run, bytes: bytes), cost: run.range.count) else { return }
                    }
                }
            }
        }
        for fetcher in fetchers {
            // The threads throw nothing: attempt(_:_:) keeps what failed.
            try? fetcher.join()
        }
    }

    private func fetch(_ run: BlobRun, _ pack: ObjectID) throws -> Result<[UInt8], ObjectStoreError> {
        do {
            return .success(try repository.store.get(ObjectKind.pack.key(pack), range: run.range))
        } catch let error as ObjectStoreError where Self.isAboutOneObject(error) {
            return .failure(error)
        }
    }

    /// True for errors that say that one object is damaged or lost: what does not need it can be restored.
    static func isAboutOneObject(_ error: any Error) -> Bool {
        if let error = error as? ObjectStoreError {
            return [.notFound, .invalidRange, .integrity].contains(error.code)
        }
        return error is RepositoryError || error is FormatError
    }

    /// Runs a thread's work; the first failure of any ends all.
    private func attempt(_ queue: BoundedQueue<FetchedRun>, _ work: () throws -> Void) {
        do { try work() } catch {
            fatal.withLock { $0 = $0 ?? error }
            queue.abort()
        }
    }

    /// Removes what there is of a file that cannot be completed; what stands in its place stays.
    func remove(_ file: RestoreFile, after progress: RestoreFile.Progress, _ entries: EntryMaker) {
        guard progress == .created, let handle = directories.handle(file.place.directory) else { return }
        entries.discard(file.workName, in: handle)
    }

    /// The path of an entry, for messages.
    func path(of place: RestoreFile.Place) -> [UInt8] { directories.path(place.directory, place.name) }

    func count(_ change: (inout RestoreStatistics) -> Void) { counters.withLock { change(&$0) } }

    func warn(_ path: [UInt8], _ message: String) {
        count { $0.warnings += 1 }
        observer.warning(path: String(decoding: path, as: UTF8.self), message: message)
    }

    func fail(_ path: [UInt8], _ message: String) {
        count { $0.failures += 1 }
        observer.failure(path: String(decoding: path, as: UTF8.self), message: message)
    }
}
