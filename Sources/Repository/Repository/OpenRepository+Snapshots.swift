package import RepositoryFormat
package import Threads

extension OpenRepository {
    /// A snapshot and its id.
    package struct Snapshot: Sendable, Hashable {
        package let id: ObjectID
        package let record: SnapshotRecord

        package init(id: ObjectID, record: SnapshotRecord) {
            self.id = id
            self.record = record
        }
    }

    /// All snapshots, oldest first.
    ///
    /// - Parameter damaged: called with each snapshot that cannot be read; such ones are left out of the result.
    package func snapshots(
        cancellation: Cancellation, damaged: (ObjectID, any Error) throws -> Void = { throw $1 }
    ) throws -> [Snapshot] {
        let found = Condition((snapshots: [Snapshot](), failures: [(ObjectID, any Error)]()))
        let ids = try ids(of: .snapshot)
        if let cache {
            let alive = Set(ids)
            cache.keepOnly(.snapshot) { alive.contains($0) }
        }
        try forEachConcurrently(ids, cancellation: cancellation, name: "snapshots") { id in
            do {
                let record = try SnapshotRecord(decoding: self.loadUnpacked(.snapshot, id))
                found.withLock { $0.snapshots.append(Snapshot(id: id, record: record)) }
            } catch {
                found.withLock { $0.failures.append((id, error)) }
            }
        }
        let result = found.withLock { $0 }
        for (id, error) in result.failures { try damaged(id, error) }
        return result.snapshots.sorted {
            ($0.record.time.seconds, $0.record.time.nanoseconds, $0.id.hexadecimal)
                < ($1.record.time.seconds, $1.record.time.nanoseconds, $1.id.hexadecimal)
        }
    }

    /// Stores a snapshot; it exists from then on.
    package func save(_ record: SnapshotRecord) throws -> ObjectID { try saveUnpacked(.snapshot, record.encoded()) }
}

extension [OpenRepository.Snapshot] {
    /// The snapshot that a person means: an id, the first digits of one, or `latest`.
    ///
    /// - Parameter self: oldest first.
    /// - Throws: ``RepositoryError``: `notFound`, `ambiguous`.
    package func named(_ name: String) throws -> OpenRepository.Snapshot {
        if name == "latest" {
            guard let last else { throw RepositoryError.noSnapshot(name) }
            return last
        }
        let matches = filter { $0.id.hexadecimal.hasPrefix(name.lowercased()) }
        guard let first = matches.first, !name.isEmpty else { throw RepositoryError.noSnapshot(name) }
        guard matches.count == 1 else { throw RepositoryError.ambiguousSnapshot(name, matches.map(\.id)) }
        return first
    }
}
