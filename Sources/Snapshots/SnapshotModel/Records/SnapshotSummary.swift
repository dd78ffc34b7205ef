/// One line of a list of snapshots: what a repository says about a snapshot without its tree being read.
package struct SnapshotSummary: Sendable, Hashable {
    /// 64 hexadecimal digits, the name of the snapshot object.
    package var id: String
    /// When it was taken.
    package var time: Moment
    /// The id of its tree, 64 hexadecimal digits.
    package var tree: String
    /// The host that took it.
    package var host: String
    /// The paths that restic shows for it.
    package var paths: [String]
    /// All of its tags, in their order.
    package let tags: [String]
    /// The size of what is restored from it, in bytes; nil when nobody has counted.
    package var byteCount: Int64?
    /// What the tags say; nil for a snapshot that plain restic made.
    package let meaning: SnapshotTags?

    /// A snapshot as it stands in the repository.
    package init(
        id: String, time: Moment, tree: String, host: String, paths: [String], tags: [String], byteCount: Int64? = nil
    ) {
        self.id = id
        self.time = time
        self.tree = tree
        self.host = host
        self.paths = paths
        self.tags = tags
        self.byteCount = byteCount
        meaning = SnapshotTags(decoding: tags)
    }

    /// Full or partial; nil for a snapshot that plain restic made.
    package var kind: SnapshotKind? { meaning?.kind }
    /// Its applications, in its order; none for a snapshot that plain restic made.
    package var applications: [ApplicationName] { meaning?.applications ?? [] }
    /// What it is worth; nil for a snapshot that plain restic made.
    package var consistency: Consistency? { meaning?.consistency }

    /// The first 8 digits of the id, as restic shows it.
    package var shortID: String { String(id.prefix(8)) }
}
