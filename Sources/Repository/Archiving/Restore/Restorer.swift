import CLinux
import Glibc
package import Repository
package import RepositoryFormat
import Synchronization
package import Threads

/// Writes trees of a repository back to a file system.
///
/// First all directories, links and special files are made and the wanted blobs are sorted by pack; then each pack is
/// read once, in runs of neighbouring blobs, by several threads that write to all files that want a blob; then the
/// directories get their times. Runs of zeros become holes. What is damaged or cannot be written is told and left out;
/// everything else is restored.
package final class Restorer: Sendable {
    let repository: OpenRepository
    let observer: any RestoreObserver
    let cancellation: Cancellation
    let metadata = MetadataWriter()
    private let counters = Mutex(RestoreStatistics())
    private let fatal = Mutex<(any Error)?>(nil)

    /// The index of the repository must be loaded.
    package init(_ repository: OpenRepository, observer: any RestoreObserver, cancellation: Cancellation) {
        self.repository = repository
        self.observer = observer
        self.cancellation = cancellation
    }

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
        var plan = try RestorePlanner(self)
        try plan.add(node, path: Array(path.utf8))
        try cancellation.check()
        try write(plan)
        for (directory, node) in plan.directories.reversed() {
            directory.withTerminator { metadata.apply(node, path: $0) }
        }
        for refusal in metadata.refusals {
            count { $0.warnings += 1 }
            observer.warning(path: refusal.path, message: refusal.message)
        }
    }

    private func write(_ plan: RestorePlanner) throws {
        var uses = plan.uses
        uses.sort {
            ($0.pack, $0.blob.offset, $0.file, $0.fileOffset) < ($1.pack, $1.blob.offset, $1.file, $1.fileOffset)
        }
        var slices: [Range<Int>] = []
        var start = 0
        for index in uses.indices where index == uses.count - 1 || uses[index + 1].pack != uses[start].pack {
            slices.append(start..<index + 1)
            start = index + 1
        }
        let (packs, files, sorted) = (plan.packs, plan.files, uses)
        // More threads than processors only contend for the locks of the directories in which they make files.
        let processors = max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        try repository.forEachConcurrently(
            slices, cancellation: cancellation, name: "restore", threadLimit: processors
        ) { [self] slice in
            guard fatal.withLock({ $0 == nil }) else { return }
            let writer = try PackWriter(self, files: files)
            do {
                try writer.write(sorted[slice], pack: packs[Int(sorted[slice.lowerBound].pack)])
            } catch {
                fatal.withLock { $0 = $0 ?? error }
                throw error
            }
        }
    }

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
