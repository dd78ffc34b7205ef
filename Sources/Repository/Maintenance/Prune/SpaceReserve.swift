package import ObjectStorage
import Repository
import RepositoryCrypto
import RepositoryFormat

/// An object of a few megabytes that says nothing: room that is given up when the store is full, so that pruning can
/// write its lock and its first index.
///
/// It stands beside restic's folders, under a name that restic never lists, and may be removed at any time, also by
/// hand.
package struct SpaceReserve {
    /// `stillpoint/reserve`.
    package static let key = "stillpoint/reserve"
    /// The lock, one index file of ``IndexRewrite/fullBlobCount`` blobs (about 2 MB), and folders, with some to spare.
    package static let byteCount = 4 << 20

    private let store: any ObjectStore

    package init(_ store: any ObjectStore) { self.store = store }

    /// True when there is a reserve to give up.
    package func exists() throws -> Bool {
        do {
            return try store.size(of: Self.key) > 0
        } catch let error as ObjectStoreError where error.code == .notFound {
            return false
        }
    }

    /// Makes the reserve where it is missing: random bytes, which no file system makes smaller.
    ///
    /// - Returns: false when there is no room for it.
    /// - Throws: errors of the store but for `noSpace`.
    @discardableResult
    package func make() throws -> Bool {
        do {
            guard try !exists() else { return true }
            let bytes = try randomBytes(Self.byteCount)
            try store.put(bytes, sha256: ObjectID(hashing: bytes).hexadecimal, as: Self.key, ifAbsent: false)
            return true
        } catch let error as ObjectStoreError where error.code == .noSpace {
            return false
        }
    }

    /// Gives the room up.
    package func release() throws { try store.delete(Self.key) }
}
