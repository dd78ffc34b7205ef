package import RepositoryFormat

/// How far pruning goes.
package struct PruneOptions: Sendable {
    /// How much may stay that nobody needs.
    package enum MaximumUnused: Sendable, Hashable {
        /// This many percent of what is left afterwards: 0 up to, not including, 100.
        case percent(Double)
        case bytes(UInt64)
        case unlimited

        /// The bytes that may stay beside `used` bytes.
        func byteCount(beside used: UInt64) -> UInt64 {
            switch self {
            case .percent(let percent): UInt64(max(0, min(percent / (100 - percent) * Double(used), 9e18)))
            case .bytes(let count): count
            case .unlimited: .max
            }
        }
    }

    /// restic's default is 5 %.
    package var maximumUnused = MaximumUnused.percent(5)
    /// Packs of at most this many bytes in total are written anew.
    package var maximumRepackByteCount = UInt64.max
    /// Write all packs anew that are smaller than most: joins the small packs of many small backups.
    package var repackSmall = false
    /// Packs below this size are small; nil for 80 % of the smallest that are common, at least of 4 MiB.
    package var smallPackByteCount: UInt64?
    /// Leave packs of file content alone unless they go as a whole.
    package var repackTreesOnly = false
    /// Snapshots that are as good as gone: for planning before they are removed.
    package var ignoredSnapshots: Set<ObjectID> = []
    /// Snapshots that the caller has seen in this repository. Of each that is not listed the store is asked by name:
    /// one that it has all the same proves its lists incomplete.
    package var knownSnapshots: Set<ObjectID> = []

    /// In a store without room: write anew only what frees bytes, where the least has to be written first, and no more
    /// than this in one round.
    var maximumRoundByteCount: UInt64?

    package init() {}
}

/// How far pruning or copying has come.
package struct PruneProgress: Sendable, Hashable {
    /// What is being done, in this order.
    package enum Phase: String, Sendable {
        case index, trees, repack, rewrite, delete
    }
    /// The step at work.
    package let phase: Phase
    /// Index files, trees, packs to rewrite, index files to replace, or packs to delete that are done.
    package let done: Int
    /// Nil while nobody knows.
    package let total: Int?
}
