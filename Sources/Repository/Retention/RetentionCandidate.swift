package import RepositoryFormat

/// What the rules see of a snapshot.
package struct RetentionCandidate: Sendable, Hashable {
    /// What a snapshot is of, beyond its paths.
    package enum Scope: Sendable, Hashable, CustomStringConvertible {
        /// The whole instance.
        case instance
        /// One application, by its name.
        case application(String)
        /// Nobody says.
        case unknown

        package var description: String {
            switch self {
            case .instance: "full"
            case .application(let name): name
            case .unknown: "-"
            }
        }
    }

    /// Names the snapshot.
    package let id: ObjectID
    /// When it was taken, on the clock of whoever took it.
    package let time: Timestamp
    /// Of the host that took it.
    package let hostname: String
    /// What it is of, in the order in which it says so.
    package let paths: [String]
    /// All tags.
    package let tags: [String]
    /// The tags by which it is grouped: those that a program sets for itself would put every snapshot into its own group.
    package let groupingTags: [String]
    package let scope: Scope
    /// The applications that are in it.
    package let applications: [String]
    /// Names what it is a part of; parts of one whole are kept together. Nil when it is whole by itself.
    package let whole: String?
    /// Kept whatever the policy says.
    package let isPinned: Bool

    /// A snapshot of the repository. What is left out is taken from the record: nothing is known of applications then.
    ///
    /// - Parameter pinTag: marks a snapshot as pinned.
    package init(
        id: ObjectID, record: SnapshotRecord, pinTag: String = RetentionCandidate.pinTag, groupingTags: [String]? = nil,
        scope: Scope = .unknown, applications: [String] = [], whole: String? = nil
    ) {
        self.id = id
        time = record.time
        hostname = record.hostname
        paths = record.paths
        tags = record.tags
        self.groupingTags = groupingTags ?? record.tags
        self.scope = scope
        self.applications = applications
        self.whole = whole
        isPinned = record.tags.contains(pinTag)
    }

    /// The tag of pinned snapshots. Stock restic shows it, and keeps what has it when told `--keep-tag pinned`.
    package static let pinTag = "pinned"

    /// Newest first; the ids decide between snapshots of one instant, of which restic leaves the order open.
    static func isNewer(_ left: RetentionCandidate, _ right: RetentionCandidate) -> Bool {
        (left.time.seconds, left.time.nanoseconds) == (right.time.seconds, right.time.nanoseconds)
            ? left.id < right.id
            : (left.time.seconds, left.time.nanoseconds) > (right.time.seconds, right.time.nanoseconds)
    }
}
