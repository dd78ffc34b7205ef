extension SnapshotDocument {
    /// One application in a snapshot.
    package struct Application: Sendable, Hashable {
        /// Its name; its data stands below `applications/NAME/`.
        package var name: ApplicationName
        /// Its name for people.
        package var title: String?
        /// The version that was deployed.
        package var version: String?
        /// How much its data can be trusted to fit together.
        package var consistency: Consistency
        /// Why it is no better; nil for `application`.
        package var consistencyReason: String?
        /// Whether everything that its restore needs is in this snapshot.
        package var isRestorable: Bool
        /// How long it was held still; nil when it was not.
        package var held: Duration?
        /// Its directories of data.
        package var volumes: [Volume]
        /// Its streams.
        package var dumps: [Dump]
        /// The files of its deployment.
        package var manifests: [Manifest]
        /// What its hooks did, in order.
        package var hooks: [HookResult]

        /// An application with everything that was captured of it.
        package init(
            name: ApplicationName, title: String? = nil, version: String? = nil, consistency: Consistency,
            consistencyReason: String? = nil, isRestorable: Bool, held: Duration? = nil, volumes: [Volume] = [],
            dumps: [Dump] = [], manifests: [Manifest] = [], hooks: [HookResult] = []
        ) {
            self.name = name
            self.title = title
            self.version = version
            self.consistency = consistency
            self.consistencyReason = consistencyReason
            self.isRestorable = isRestorable
            self.held = held
            self.volumes = volumes
            self.dumps = dumps
            self.manifests = manifests
            self.hooks = hooks
        }

        /// Where its parts stand in the tree: `/applications/NAME`.
        package var treePath: String { "/applications/\(name)" }
    }

    /// A captured directory, at `applications/APPLICATION/volumes/NAME/`.
    package struct Volume: Sendable, Hashable {
        /// Its name.
        package var name: String
        /// Where it belongs on the host, absolute.
        package var path: String
        /// Files, directories, links and others in it.
        package var entryCount: Int64
        /// The sum of the sizes of its files.
        package var byteCount: Int64

        /// A captured volume.
        package init(name: String, path: String, entryCount: Int64, byteCount: Int64) {
            self.name = name
            self.path = path
            self.entryCount = entryCount
            self.byteCount = byteCount
        }
    }

    /// A captured stream, the file `applications/APPLICATION/dumps/NAME`.
    package struct Dump: Sendable, Hashable {
        /// Its name.
        package var name: String
        /// The source plugin that made it and loads it.
        package var plugin: String
        /// Its size.
        package var byteCount: Int64
        /// A command that loads it from its standard input, for people without this program; nil when there is none.
        package var loadCommand: [String]?

        /// A captured dump.
        package init(name: String, plugin: String, byteCount: Int64, loadCommand: [String]? = nil) {
            self.name = name
            self.plugin = plugin
            self.byteCount = byteCount
            self.loadCommand = loadCommand
        }
    }

    /// A captured file or directory of the deployment.
    package struct Manifest: Sendable, Hashable {
        /// Where it belongs on the host, absolute.
        package var path: String
        /// Where it stands below `applications/APPLICATION/manifests/`, relative.
        package var storedPath: String

        /// A captured manifest.
        package init(path: String, storedPath: String) {
            self.path = path
            self.storedPath = storedPath
        }
    }

    /// What one call of a hook came to.
    package struct HookResult: Sendable, Hashable {
        /// How a call can end; a newer version may write words that this one does not know.
        package struct Outcome: Sendable, Hashable, RawRepresentable {
            /// The word in the document.
            package let rawValue: String
            /// Any word.
            package init(rawValue: String) { self.rawValue = rawValue }

            /// It did what it was asked to.
            package static let done = Outcome(rawValue: "done")
            /// It said that this run is not needed.
            package static let skip = Outcome(rawValue: "skip")
            /// It said that this run must not go on.
            package static let abort = Outcome(rawValue: "abort")
            /// It failed.
            package static let failed = Outcome(rawValue: "failed")
            /// It took longer than it may.
            package static let timedOut = Outcome(rawValue: "timed-out")
        }

        /// The plugin.
        package var plugin: String
        /// The event: `backup.pre`.
        package var event: String
        /// How it ended.
        package var outcome: Outcome
        /// When it was called.
        package var started: Moment
        /// How long it took.
        package var took: Duration
        /// What it said, or why it failed.
        package var message: String?

        /// The result of one call.
        package init(
            plugin: String, event: String, outcome: Outcome, started: Moment, took: Duration, message: String? = nil
        ) {
            self.plugin = plugin
            self.event = event
            self.outcome = outcome
            self.started = started
            self.took = took
            self.message = message
        }
    }
}
