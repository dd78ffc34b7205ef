package import Repository
import RepositoryFormat
package import Threads

/// Counts what snapshots hold. Each tree that snapshots share is read once.
package final class StatisticsCount {
    private let repository: OpenRepository
    private let cancellation: Cancellation
    private let walk: SnapshotWalk
    private var statistics: RepositoryStatistics
    /// Trees that need no second look.
    private var visited: Set<ObjectID> = []
    /// Contents of files; blobs of paths.
    private var contents: Set<ObjectID> = []
    private var blobs: Set<ObjectID> = []
    private var paths: Set<ObjectID> = []

    /// The index of the repository must be loaded.
    package init(_ repository: OpenRepository, mode: RepositoryStatistics.Mode, cancellation: Cancellation) throws {
        self.repository = repository
        self.cancellation = cancellation
        walk = try SnapshotWalk(repository, cancellation: cancellation)
        statistics = RepositoryStatistics(mode: mode)
    }

    /// Counts; the result does not depend on what was counted before, unless some snapshots share a path whose content
    /// changed (``RepositoryStatistics/Mode/blobsPerFile``).
    ///
    /// - Parameter progress: told how many snapshots are done.
    /// - Throws: ``RepositoryError/Code/damaged`` for a tree or blob that is missing or damaged; errors of the store.
    package func run(
        _ snapshots: [OpenRepository.Snapshot], progress: (Int) -> Void = { _ in }
    ) throws -> RepositoryStatistics {
        var sizes = RestoreSizes(repository, cancellation)
        for snapshot in snapshots {
            progress(statistics.snapshotCount)
            statistics.snapshotCount += 1
            let root = snapshot.record.tree
            switch statistics.mode {
            case .restoreSize:
                let size = try sizes.size(of: root)
                statistics.fileCount.addClamped(size.entryCount)
                statistics.byteCount.addClamped(size.byteCount)
            case .filesByContents: try visitOnce(root) { self.countContent($0.node) }
            case .blobsPerFile: try visitOnce(root) { try self.countBlobs($0) }
            case .rawData: try visitOnce(root) { self.blobs.formUnion($0.node.content ?? []) }
            }
        }
        if statistics.mode == .rawData { try countRawData() }
        return statistics
    }

    private func visitOnce(_ root: ObjectID, _ body: (SnapshotWalk.Entry) throws -> Void) throws {
        guard visited.insert(root).inserted else { return }
        try walk.run(root: root) { entry in
            try body(entry)
            return entry.node.subtree.map { visited.insert($0).inserted } ?? false
        }
    }

    /// - Returns: false for content that was met before. What has no content is one content, as in restic's count.
    private func isNewContent(_ node: TreeNode) -> Bool {
        let ids = node.content ?? []
        if ids.count == 1, let id = ids.first { return contents.insert(id).inserted }
        return contents.insert(ObjectID(hashing: ids.flatMap(\.bytes))).inserted
    }

    private func countContent(_ node: TreeNode) {
        guard isNewContent(node) else { return }
        statistics.fileCount.addClamped(1)
        statistics.byteCount.addClamped(node.size)
    }

    private func countBlobs(_ entry: SnapshotWalk.Entry) throws {
        guard isNewContent(entry.node) else { return }
        for id in entry.node.content ?? [] {
            if paths.insert(ObjectID(hashing: entry.path)).inserted { statistics.fileCount.addClamped(1) }
            guard blobs.insert(ObjectID(hashing: entry.path + [0] + id.bytes)).inserted else { continue }
            guard let byteCount = repository.index.contentByteCount(of: id, .data) else {
                throw RepositoryError.missingBlob(id, .data)
            }
            statistics.byteCount.addClamped(UInt64(byteCount))
            statistics.blobCount.addClamped(1)
        }
    }

    private func countRawData() throws {
        for (kind, ids) in [(BlobKind.data, blobs), (.tree, visited)] {
            for id in ids {
                guard let blob = repository.index.location(of: id, kind)?.blob else {
                    throw RepositoryError.missingBlob(id, kind)
                }
                // Sealing adds 32 bytes to a blob (restic's design, "Pack Format").
                let uncompressed = blob.uncompressedLength.map { UInt64($0) + 32 } ?? UInt64(blob.length)
                statistics.blobCount.addClamped(1)
                statistics.byteCount.addClamped(UInt64(blob.length))
                guard repository.config.version >= 2 else { continue }
                statistics.uncompressedByteCount.addClamped(uncompressed)
                guard blob.uncompressedLength != nil else { continue }
                statistics.compressedBlobsByteCount.addClamped(UInt64(blob.length))
                statistics.compressedBlobsUncompressedByteCount.addClamped(uncompressed)
            }
        }
    }
}
