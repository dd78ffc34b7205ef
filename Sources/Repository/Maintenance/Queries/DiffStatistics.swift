/// What the differences between two snapshots amount to.
package struct DiffStatistics: Sendable, Hashable {
    /// One side of it.
    package struct Side: Sendable, Hashable {
        package var files = 0
        package var directories = 0
        package var others = 0
        package var dataBlobs = 0
        package var treeBlobs = 0
        /// Bytes of the content of these blobs.
        package var byteCount: UInt64 = 0
    }

    /// Files in both, with different content.
    package var changedFiles = 0
    /// What only the second snapshot has.
    package var added = Side()
    /// What only the first snapshot has.
    package var removed = Side()
}
