import ObjectStorage
package import Repository
package import RepositoryFormat
import Synchronization
package import Threads

extension PackInventory {
    /// Reads index files, several at once.
    ///
    /// - Parameter ids: those to read; files that were read before must not be among them.
    /// - Throws: the first index that cannot be read; errors of the store.
    package func load(
        _ ids: [ObjectID], of repository: OpenRepository, cancellation: Cancellation,
        read: @escaping @Sendable () -> Void = {}
    ) throws {
        try repository.forEachConcurrently(ids, cancellation: cancellation, name: "index") { id in
            do {
                let bytes = try repository.loadUnpacked(.index, id)
                try bytes.withUnsafeBytes { bytes in
                    let file = self.tables.withLock { tables -> Int in
                        tables.files.append(File(id: id))
                        return tables.files.count - 1
                    }
                    try IndexDocument.forEachPack(in: bytes) { pack, blobs in
                        self.tables.withLock { $0.insert(file: file, pack: pack, blobs) }
                    }
                }
            } catch let error where !(error is ObjectStoreError) {
                throw MaintenanceError.damagedIndex(id, cause: error)
            }
            read()
        }
    }

    /// Reads all index files of a repository.
    package convenience init(
        _ repository: OpenRepository, cancellation: Cancellation,
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws {
        self.init()
        let ids = try repository.ids(of: .index)
        let done = Condition(0)
        try load(ids, of: repository, cancellation: cancellation) {
            progress(
                done.withLock { done in
                    done += 1
                    return done
                }, ids.count)
        }
    }
}
