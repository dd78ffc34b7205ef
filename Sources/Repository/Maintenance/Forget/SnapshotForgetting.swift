import ObjectStorage
package import Repository
package import RepositoryFormat
import Retention
import Synchronization
package import Threads

/// Removes snapshots. Their data stays until a prune; a snapshot that is gone cannot be brought back.
///
/// The repository has to be locked exclusively.
package struct SnapshotForgetting {
    /// What was removed, and what could not be.
    package struct Result: Sendable {
        /// In the order asked for.
        package var removed: [ObjectID] = []
        package var failures: [(id: ObjectID, error: any Error)] = []
    }

    private let repository: OpenRepository
    private let cancellation: Cancellation

    package init(_ repository: OpenRepository, cancellation: Cancellation) {
        self.repository = repository
        self.cancellation = cancellation
    }

    /// Removes snapshots that were listed before, each after it was read once more. One that is gone by then counts as
    /// removed; one that fails does not keep the others from going.
    ///
    /// - Parameter snapshots: as they were listed; a pinned one is never removed.
    /// - Throws: `CancellationFailure` before the next snapshot; ``RepositoryError/Code/readOnly`` for format version 1.
    package func remove(_ snapshots: [OpenRepository.Snapshot]) throws -> Result {
        try repository.requireWritable()
        let outcomes = Mutex<[ObjectID: (any Error)?]>([:])
        try repository.forEachConcurrently(snapshots, cancellation: cancellation, name: "forget") { snapshot in
            var failure: (any Error)?
            do { try remove(snapshot) } catch { failure = error }
            outcomes.withLock { $0[snapshot.id] = .some(failure) }
        }
        var result = Result()
        for snapshot in snapshots {
            if let failure = outcomes.withLock({ $0[snapshot.id] }) ?? nil {
                result.failures.append((snapshot.id, failure))
            } else {
                result.removed.append(snapshot.id)
            }
        }
        return result
    }

    private func remove(_ snapshot: OpenRepository.Snapshot) throws {
        let present: SnapshotRecord
        do {
            present = try SnapshotRecord(decoding: repository.loadUnpacked(.snapshot, snapshot.id))
        } catch let error as ObjectStoreError where error.code == .notFound {
            return
        }
        guard present == snapshot.record else { throw MaintenanceError.snapshotChanged(snapshot.id) }
        guard !present.tags.contains(RetentionCandidate.pinTag) else { throw MaintenanceError.pinned(snapshot.id) }
        try repository.store.delete(ObjectKind.snapshot.key(snapshot.id))
    }
}
