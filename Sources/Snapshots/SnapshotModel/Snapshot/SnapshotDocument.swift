/// `/snapshot.json` in a snapshot: what it holds, how it was taken, and what is missing, readable without this host.
package struct SnapshotDocument: Sendable, Hashable {
    /// Where it stands in a snapshot's tree.
    package static let fileName = "snapshot.json"
    /// The format that this version writes. It grows only when older readers would misunderstand a document.
    package static let newestFormat: Int64 = 1

    /// Full or partial.
    package var kind: SnapshotKind
    /// The run that made it.
    package var run: RunID
    /// Who started the run; nil when a newer version wrote something that this one does not know.
    package var trigger: Trigger?
    /// When the run began.
    package var started: Moment
    /// When the last data was captured; storing took longer.
    package var finished: Moment
    /// The name of the host.
    package var host: String
    /// The version of the program that wrote it.
    package var programVersion: String
    /// The applications, in the order in which they were captured and are restored.
    package var applications: [Application]
    /// What was not captured, and everything else that somebody should know.
    package var warnings: [Warning]

    /// A document with all of its parts.
    package init(
        kind: SnapshotKind, run: RunID, trigger: Trigger?, started: Moment, finished: Moment, host: String,
        programVersion: String, applications: [Application], warnings: [Warning] = []
    ) {
        self.kind = kind
        self.run = run
        self.trigger = trigger
        self.started = started
        self.finished = finished
        self.host = host
        self.programVersion = programVersion
        self.applications = applications
        self.warnings = warnings
    }

    /// What holds for all applications together: the worst of them; `application` when there are none.
    package var consistency: Consistency { applications.map(\.consistency).max() ?? .application }

    /// The tags of the snapshot.
    package func tags(adding others: [String] = []) -> SnapshotTags {
        SnapshotTags(
            kind: kind, applications: applications.map(\.name), trigger: trigger, consistency: consistency, run: run,
            others: others)
    }

    /// Something that was not as it should be.
    package struct Warning: Sendable, Hashable {
        /// The application it belongs to; nil when it belongs to the whole run.
        package var application: ApplicationName?
        /// The file or directory on the host; nil when it is about none.
        package var path: String?
        /// One sentence.
        package var message: String

        /// A warning about an application, a path, or the run.
        package init(application: ApplicationName? = nil, path: String? = nil, message: String) {
            self.application = application
            self.path = path
            self.message = message
        }
    }
}
