package import RepositoryFormat

/// What pruning will do, and why: made by ``Prune/plan()``, carried out by ``Prune/execute(_:)``.
package struct PrunePlan: Sendable {
    /// What becomes of a pack.
    package enum Action: String, Sendable, Hashable {
        /// It stays as it is.
        case keep
        /// What is needed of it is copied to new packs, then it is removed.
        case repack
        /// It is removed.
        case remove
    }

    /// Why.
    package enum Reason: String, Sendable, Hashable {
        /// Every blob in it is needed.
        case needed = "needed"
        /// It may keep its unused blobs: within `--max-unused`.
        case tolerated = "within the limit of unused bytes"
        /// `--max-repack-size` is used up.
        case repackLimit = "the limit of bytes to repack is reached"
        /// `--repack-cacheable-only`, and it holds data.
        case dataPack = "a pack of data, which is not to be repacked"
        /// It is small, and too few others are.
        case small = "small, with too few others to join it"
        /// Blobs in it are not needed.
        case partlyUnused = "partly unused"
        /// Trees and data in one pack, as restic before 0.4 wrote them.
        case mixed = "trees and data mixed"
        /// Trees that are not compressed.
        case uncompressed = "trees that are not compressed"
        /// It is joined with other small ones.
        case joined = "small"
        /// No blob in it is needed.
        case unneeded = "no snapshot needs it"
        /// Every blob in it that is needed lies in another pack as well.
        case duplicate = "other packs hold the same blobs"
        /// No index names it.
        case unindexed = "in no index"
        /// An index names it, the store does not have it, nobody needs it.
        case absent = "not in the store, and not needed"
    }

    /// One pack.
    package struct Pack: Sendable, Hashable {
        package let id: ObjectID
        package let action: Action
        package let reason: Reason
        /// Bytes of the whole pack.
        package let byteCount: UInt64
        /// Bytes in it that nobody needs.
        package let unusedByteCount: UInt64
    }

    /// Numbers and bytes of blobs of one sort.
    package struct Amount: Sendable, Hashable {
        package var blobs = 0
        package var bytes: UInt64 = 0

        mutating func add(_ blobs: Int, _ bytes: UInt64) {
            self.blobs += blobs
            self.bytes += bytes
        }
    }

    /// The sums. `total = used + duplicate + unused`, `remaining = total - freed` for blobs that indexes name.
    package struct Statistics: Sendable, Hashable {
        /// Needed by snapshots, each blob once.
        package var used = Amount()
        /// Further copies of blobs that are needed.
        package var duplicate = Amount()
        /// Needed by nobody.
        package var unused = Amount()
        /// In packs that are removed without a look inside.
        package var removed = Amount()
        /// In packs that are written anew.
        package var repacked = Amount()
        /// Of those, what is not written again.
        package var repackedAway = Amount()
        /// Bytes of packs that no index names.
        package var unindexedByteCount: UInt64 = 0
        package var packsKept = 0
        package var packsRepacked = 0
        package var packsRemoved = 0
        package var packsUnindexed = 0
        package var snapshots = 0

        /// Bytes that the repository loses; headers of packs not counted.
        package var freedByteCount: UInt64 { removed.bytes + repackedAway.bytes + unindexedByteCount }
        /// Bytes of blobs afterwards.
        package var remainingByteCount: UInt64 {
            used.bytes + duplicate.bytes + unused.bytes - removed.bytes - repackedAway.bytes
        }
        /// Of those, what nobody needs.
        package var remainingUnusedByteCount: UInt64 {
            duplicate.bytes + unused.bytes - removed.bytes - repackedAway.bytes
        }
    }

    /// Every pack, by action and then by id.
    package let packs: [Pack]
    package let statistics: Statistics
    /// Index files that will be replaced, should nothing change until then.
    package let indexFilesReplaced: Int
    let inventory: PackInventory

    /// True when there is nothing to do.
    package var isEmpty: Bool {
        !packs.contains { $0.action != .keep } && indexFilesReplaced == 0
    }
}
