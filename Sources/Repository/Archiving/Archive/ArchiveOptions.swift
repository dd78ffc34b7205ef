/// What to leave out of a directory, and how to read it.
package struct ArchiveOptions: Sendable, Hashable {
    /// Patterns of names to leave out; see ``ExcludeRules``.
    package var excludes: [String] = []
    /// Leave out the contents of directories with a valid CACHEDIR.TAG (https://bford.info/cachedir/).
    package var excludeCaches = false
    /// Leave out the contents of directories that hold a file of one of these names, e.g. `.nobackup`.
    package var excludeIfPresent: [String] = []
    /// Stay on the file system of the directory itself; mount points are kept as empty directories.
    package var oneFileSystem = false
    /// Take a file for unchanged although its inode is another: for file systems that number them anew at each mount.
    package var ignoresInode = false
    /// Take a file for unchanged although its time of change is another: for data that other programs touch only outside
    /// of its content.
    package var ignoresChangeTime = false

    package init() {}
}

/// What an archive run tells while it works; called from several threads.
package protocol ArchiveObserver: Sendable {
    /// Something could not be captured; the archive goes on without it.
    ///
    /// - Parameters:
    ///   - path: what it is about, as UTF-8 with replacements.
    ///   - message: one sentence without the path.
    func warning(path: String, message: String)
}

/// Counters of an archive run; a value as of one moment.
package struct ArchiveStatistics: Sendable, Hashable {
    package var filesNew: UInt64 = 0
    package var filesChanged: UInt64 = 0
    package var filesUnmodified: UInt64 = 0
    package var directories: UInt64 = 0
    package var others: UInt64 = 0
    /// Bytes of file content that was read or found unchanged.
    package var bytes: UInt64 = 0
    package var warnings: UInt64 = 0

    package init() {}

    /// All files: new, changed and unmodified ones.
    package var files: UInt64 { filesNew + filesChanged + filesUnmodified }
    /// All entries.
    package var entries: UInt64 { files + directories + others }

    /// What was counted between two moments of one run, `b` the earlier.
    package static func - (a: ArchiveStatistics, b: ArchiveStatistics) -> ArchiveStatistics {
        var result = ArchiveStatistics()
        result.filesNew = a.filesNew &- b.filesNew
        result.filesChanged = a.filesChanged &- b.filesChanged
        result.filesUnmodified = a.filesUnmodified &- b.filesUnmodified
        result.directories = a.directories &- b.directories
        result.others = a.others &- b.others
        result.bytes = a.bytes &- b.bytes
        result.warnings = a.warnings &- b.warnings
        return result
    }
}
