import Catalog
import ObjectStorage
import Maintenance
import Pipelines
package import Repository
package import RepositoryFormat
import SnapshotModel

extension Host {
    /// Takes a lock.
    ///
    /// Maintenance must be possible in a store without room for a lock: the store's reserve is given up then. Others
    /// never touch it.
    ///
    /// - Parameter reserveReleased: told before the second attempt.
    package func lock(
        _ repository: OpenRepository, exclusive: Bool, patience: Duration, remarks: RepositoryLock.Remarks,
        reserveReleased: () -> Void
    ) throws -> RepositoryLock {
        func take() throws -> RepositoryLock {
            try RepositoryLock(
                repository, exclusive: exclusive, identity: pipelines.identity,
                clock: { Timestamp(milliseconds: Host.now().milliseconds) }, settling: .overlapped, patience: patience,
                cancellation: cancellation, remarks: remarks)
        }
        do { return try take() } catch let error as ObjectStoreError where exclusive && error.code == .noSpace {
            let reserve = SpaceReserve(repository.store)
            guard try reserve.exists() else { throw error }
            try reserve.release()
            reserveReleased()
            return try take()
        }
    }

    /// Makes the repository's reserve for the day on which its store is full; where there is no room for it, it is made
    /// by the next prune.
    package func makeReserve(_ repository: OpenRepository) throws { try SpaceReserve(repository.store).make() }

    /// The snapshots of the configured destination that this host has seen.
    package func knownSnapshots() throws -> Set<ObjectID> {
        Set(try catalog.snapshots(in: Self.destinationName).compactMap { ObjectID(hexadecimal: $0.id) })
    }
}
