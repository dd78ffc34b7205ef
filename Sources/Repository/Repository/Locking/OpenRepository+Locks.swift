import ObjectStorage
import RepositoryCrypto
package import RepositoryFormat

extension OpenRepository {
    /// All locks that can be read; one that vanishes meanwhile is passed over.
    package func locks() throws -> [(id: ObjectID, lock: LockDocument)] {
        var locks: [(id: ObjectID, lock: LockDocument)] = []
        for id in try lockIDs() {
            do {
                locks.append((id, try LockDocument(decoding: loadUnpacked(.lock, id))))
            } catch let error as ObjectStoreError where error.code == .notFound {
                continue
            }
        }
        return locks
    }

    /// The ids of all locks with content: an empty one is what an interrupted upload leaves, and restic passes over it.
    func lockIDs() throws -> [ObjectID] {
        try store.list(prefix: ObjectKind.lock.prefix).compactMap {
            $0.size == 0 ? nil : ObjectKind.lock.id(of: $0.key)
        }
    }

    /// Stores a lock; also allowed in a repository that is otherwise only read.
    func saveLock(_ document: LockDocument) throws -> ObjectID {
        let plain = try document.encoded()
        let sealed = try makeSealer().seal(plain)
        let id = ObjectID(hashing: sealed)
        try store.put(sealed, sha256: id.hexadecimal, as: ObjectKind.lock.key(id), ifAbsent: true)
        return id
    }

    /// A lock that was removed, and why that was safe.
    package struct RemovedLock: Sendable, Hashable {
        package let id: ObjectID
        package let lock: LockDocument
        /// What proves its holder dead; nil when it was removed because all were to be.
        package let proof: String?
    }

    /// Removes locks.
    ///
    /// - Parameter all: also those whose holders may be alive, and those that cannot be read, of which nothing is told.
    /// - Returns: the removed ones.
    /// - Throws: ``RepositoryError/Code/damaged`` for a lock that cannot be read, unless `all` is set; errors of the
    ///   store.
    package func unlock(all: Bool, now: Timestamp, hostname: String) throws -> [RemovedLock] {
        var removed: [RemovedLock] = []
        for object in try store.list(prefix: ObjectKind.lock.prefix) {
            guard let id = ObjectKind.lock.id(of: object.key), all || object.size > 0 else { continue }
            do {
                let lock = try LockDocument(decoding: loadUnpacked(.lock, id))
                let proof = lock.proofOfDeath(now: now, hostname: hostname)
                guard all || proof != nil else { continue }
                try store.delete(object.key)
                removed.append(RemovedLock(id: id, lock: lock, proof: proof))
            } catch let error as ObjectStoreError where error.code == .notFound {
                continue
            } catch let error where all && !(error is ObjectStoreError) {
                // Damaged: whoever made it, nobody can be asked, and it would bar the repository for ever.
                try store.delete(object.key)
            }
        }
        return removed
    }
}
