import ObjectStorage
package import Repository
import RepositoryFormat

/// Gives snapshots other tags. A snapshot is named by its bytes, so this makes a new object that names the first one as
/// its `original`, then removes the old one, as restic's `tag` does.
///
/// The repository has to be locked exclusively.
package struct SnapshotTagging {
    /// A snapshot before and after.
    package struct Change: Sendable, Hashable {
        package let old: OpenRepository.Snapshot
        package let new: OpenRepository.Snapshot
    }

    private let repository: OpenRepository
    /// What is there already, by content: a change that was interrupted has left the new object beside the old one.
    private var known: [SnapshotRecord: ObjectID]

    /// - Parameter snapshots: all of the repository.
    package init(_ repository: OpenRepository, among snapshots: [OpenRepository.Snapshot]) {
        self.repository = repository
        known = Dictionary(snapshots.map { ($0.record, $0.id) }) { first, _ in first }
    }

    /// Replaces the tags of a snapshot.
    ///
    /// The new object is durable before the old one goes: whenever this ends, one of both is there.
    ///
    /// - Returns: nil when it has these tags already.
    /// - Throws: ``RepositoryError/Code/readOnly`` for format version 1; errors of the store.
    package mutating func change(_ snapshot: OpenRepository.Snapshot, to tags: [String]) throws -> Change? {
        guard snapshot.record.tags != tags else { return nil }
        var record = snapshot.record
        record.tags = tags
        record.original = record.original ?? snapshot.id
        let id = try known[record] ?? repository.save(record)
        known[record] = id
        known[snapshot.record] = nil
        try repository.requireWritable()
        try repository.store.delete(ObjectKind.snapshot.key(snapshot.id))
        return Change(old: snapshot, new: OpenRepository.Snapshot(id: id, record: record))
    }
}
