import RepositoryFormat

/// What a restore tells while it works; called from several threads.
package protocol RestoreObserver: Sendable {
    /// An entry is there, but something about it could not be set.
    func warning(path: String, message: String)
    /// An entry could not be restored.
    func failure(path: String, message: String)
}

/// Counters of a restore.
package struct RestoreStatistics: Sendable, Hashable {
    package var files: UInt64 = 0
    package var directories: UInt64 = 0
    package var others: UInt64 = 0
    /// Bytes of file content written, holes included.
    package var bytes: UInt64 = 0
    package var totalFiles: UInt64 = 0
    package var totalBytes: UInt64 = 0
    package var warnings: UInt64 = 0
    package var failures: UInt64 = 0

    package init() {}

    /// All entries that are in place.
    package var entries: UInt64 { files + directories + others }
}
