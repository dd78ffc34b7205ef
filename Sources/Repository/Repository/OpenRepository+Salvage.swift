import ObjectStorage
package import RepositoryFormat
import Synchronization
package import Threads

extension OpenRepository {
    /// Loads the index for reading although parts of it may be damaged: what a damaged index file would have told, the
    /// packs' own headers tell.
    ///
    /// For those who only read, because each blob proves itself by its hash; who removes or replaces anything needs the
    /// whole truth and calls ``loadIndex(cancellation:)``. A sound index costs no more than there.
    ///
    /// - Parameter damaged: told of each index file that cannot be read, and each pack of no index whose header cannot.
    /// - Throws: errors of the store; cancellation.
    package func loadIndex(
        cancellation: Cancellation, damaged: (_ kind: ObjectKind, _ id: ObjectID, _ error: any Error) -> Void
    ) throws {
        do {
            return try loadIndex(cancellation: cancellation)
        } catch let error where Self.isDamage(error) {}
        let failures = Mutex<[(kind: ObjectKind, id: ObjectID, error: any Error)]>([])
        try forEachConcurrently(try ids(of: .index), cancellation: cancellation, name: "index") { id in
            do {
                for (pack, blobs) in try self.indexedPacks(id) { self.index.insert(pack: pack, blobs: blobs) }
            } catch let error where Self.isDamage(error) {
                failures.withLock { $0.append((.index, id, error)) }
            }
        }
        let known = index.packs
        let unnamed = try store.list(prefix: ObjectKind.pack.prefix).compactMap { object in
            ObjectKind.pack.id(of: object.key).flatMap { known[$0] == nil ? (id: $0, size: object.size) : nil }
        }
        try forEachConcurrently(unnamed, cancellation: cancellation, name: "headers") { pack in
            do {
                let blobs = try BlobLoader(self).header(of: pack.id, packByteCount: pack.size)
                self.index.insert(pack: pack.id, blobs: blobs)
            } catch let error where Self.isDamage(error) {
                failures.withLock { $0.append((.pack, pack.id, error)) }
            }
        }
        for failure in failures.withLock({ $0 }) { damaged(failure.kind, failure.id, failure.error) }
    }

    /// What one index file tells, all of it or nothing.
    private func indexedPacks(_ id: ObjectID) throws -> [(ObjectID, [PackedBlob])] {
        let bytes = try loadUnpacked(.index, id)
        var packs: [(ObjectID, [PackedBlob])] = []
        do {
            try bytes.withUnsafeBytes { try IndexDocument.forEachPack(in: $0) { packs.append(($0, $1)) } }
        } catch {
            throw RepositoryError.damaged("The index \(id.hexadecimal)", cause: error)
        }
        return packs
    }

    private static func isDamage(_ error: any Error) -> Bool { BlobLoader.isDamage(error) }
}
