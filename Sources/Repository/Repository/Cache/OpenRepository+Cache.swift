import RepositoryFormat
import Synchronization

extension OpenRepository {
    /// Looks for indexes, snapshots and trees in copies on this machine first, and keeps copies of those it reads.
    ///
    /// - Parameter root: of the cache; shared by all repositories.
    package func useCache(root: String) {
        let cache = LocalCache(root: root, repositoryID: config.id)
        cacheInUse.withLock { $0 = cache }
    }

    /// Reads everything from the store from now on: for whoever wants to know whether the store has it.
    package func bypassCache() { cacheInUse.withLock { $0 = nil } }

    /// The cache in use; nil when there is none.
    var cache: LocalCache? { cacheInUse.withLock { $0 } }

    /// The document of an index or a snapshot from its copy, proven by its hash and its seal.
    func cachedDocument(_ kind: ObjectKind, _ id: ObjectID) -> [UInt8]? {
        guard let cache, let sealed = cache.read(kind, id) else { return nil }
        guard ObjectID(hashing: sealed) == id, let plain = try? open(sealed) else {
            cache.remove(kind, id)
            return nil
        }
        return plain
    }
}
