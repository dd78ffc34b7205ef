package import RepositoryFormat
package import SnapshotModel

/// What is to be taken a snapshot of.
package struct SnapshotRequest: Sendable, Hashable {
    /// The one application of a partial snapshot; nil for a full one.
    package var application: ApplicationName?
    package var trigger: Trigger
    /// Tags of the operator's own.
    package var tags: [String]
    package var detection: ChangeDetection

    /// How files that are as they were in the previous snapshot are told from others.
    package struct ChangeDetection: Sendable, Hashable {
        /// Read everything, and compare with nothing.
        package var readsEverything = false
        /// As `ignoresInode` of the archive's options.
        package var ignoresInode = false
        /// As `ignoresChangeTime` of the archive's options.
        package var ignoresChangeTime = false

        package init(readsEverything: Bool = false, ignoresInode: Bool = false, ignoresChangeTime: Bool = false) {
            self.readsEverything = readsEverything
            self.ignoresInode = ignoresInode
            self.ignoresChangeTime = ignoresChangeTime
        }
    }

    package init(
        application: ApplicationName? = nil, trigger: Trigger = .manual, tags: [String] = [],
        detection: ChangeDetection = ChangeDetection()
    ) {
        self.application = application
        self.trigger = trigger
        self.tags = tags
        self.detection = detection
    }

    /// Full or partial.
    package var kind: SnapshotKind { application == nil ? .full : .partial }
}

/// How a snapshot run ended.
package struct SnapshotOutcome: Sendable {
    package let run: Run
    /// The snapshot; nil when none was made.
    package let snapshot: ObjectID?
    /// What it holds; nil when none was made.
    package let document: SnapshotDocument?
    package let exitCode: ExitCode
    /// One sentence about what went wrong; nil when nothing did.
    package let message: String?
    /// Bytes that were new to the repository, before and after compression.
    package let addedByteCount: UInt64
    package let packedByteCount: UInt64
}
