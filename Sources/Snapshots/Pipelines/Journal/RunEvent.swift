package import JSON
package import SnapshotModel

/// Something that happened in a run. Each has a kind, by which it stands in the journal, and a payload.
package enum RunEvent: Sendable, Hashable {
    /// The first event: whose journal this is.
    case opened(JournalHeader)
    /// The run, or one application of it, has come to a state.
    case phase(RunState, application: ApplicationName?)
    /// How far something has come.
    case progress(RunProgress)
    /// A line that a hook or its command printed.
    case hookOutput(HookOutput)
    /// Something was not as it should be; the run goes on.
    case warning(SnapshotDocument.Warning)
    /// Something failed; the run, or this application in it, does not go on.
    case error(message: String, application: ApplicationName?)
    /// A pre hook is about to be sent. Durable before it is.
    case leaseIntended(Lease)
    /// The pre hook was answered. Durable before anything is captured.
    case leaseAcknowledged(lease: Int64, action: String, reason: String?, state: String?)
    /// The pre hook failed or did not answer; it may have done its work, so the lease is still out.
    case leasePreFailed(lease: Int64, message: String)
    /// The pre hook never reached the plugin: there is nothing to release.
    case leaseWithdrawn(lease: Int64, message: String)
    /// The post hook was answered: the application goes on.
    case leaseReleased(lease: Int64, attempt: Int64, outcome: String)
    /// The post hook failed or did not answer; it is tried again.
    case leaseReleaseFailed(lease: Int64, attempt: Int64, message: String)
    /// Something is going to be built beside a volume or manifest. Durable before the first of them is exchanged.
    case restoreStaged(StagedRecord)
    /// It is complete and is about to be exchanged with the old one. Durable before it is.
    case restoreSwapping(StagedRecord)
    /// All of an application is in place and loaded: from now on the new data counts. Durable before it starts again.
    case restoreKept(ApplicationName)
    /// Nothing is left beside a volume or manifest.
    case restoreCleared(number: Int64)
    /// The snapshot stands in the repository.
    case snapshotRecorded(id: String, tree: String)
    /// The run is over. Only late releases of leases can follow.
    case finished(RunState, exitCode: ExitCode, message: String?)
    /// An event of a newer version, kept as it stands.
    case unknown(kind: String, payload: JSONObject)
}

/// The first event of a journal: what runs, and which process writes.
package struct JournalHeader: Sendable, Hashable {
    /// What the run does.
    package var kind: RunKind
    /// The one application it is about; nil when it is about several or none.
    package var application: ApplicationName?
    /// Who started it.
    package var trigger: Trigger
    /// The version of the program.
    package var programVersion: String
    /// The process that writes; nil where /proc is not mounted.
    package var owner: Owner?

    /// A process that cannot be mistaken for a later one with the same id.
    package struct Owner: Sendable, Hashable {
        /// The process id.
        package var pid: Int64
        /// When it started, in clock ticks after boot. Source: proc(5), `/proc/PID/stat`, field 22.
        package var start: Int64
        /// `/proc/sys/kernel/random/boot_id`.
        package var bootID: String

        /// A process by what identifies it.
        package init(pid: Int64, start: Int64, bootID: String) {
            self.pid = pid
            self.start = start
            self.bootID = bootID
        }
    }

    /// A header with everything in it.
    package init(
        kind: RunKind, application: ApplicationName? = nil, trigger: Trigger, programVersion: String, owner: Owner?
    ) {
        self.kind = kind
        self.application = application
        self.trigger = trigger
        self.programVersion = programVersion
        self.owner = owner
    }
}

/// How far a part of a run has come. Counts only grow within one part.
package struct RunProgress: Sendable, Hashable {
    /// The application it is about; nil for the whole run.
    package var application: ApplicationName?
    /// The part: `volume:uploads`, `dump:database`; nil for the whole application or run.
    package var part: String?
    /// Bytes read, or written back.
    package var bytes: Int64
    /// Entries of trees.
    package var entries: Int64
    /// The bytes that there are in all; nil while unknown.
    package var totalBytes: Int64?
    /// The entries that there are in all; nil while unknown.
    package var totalEntries: Int64?

    /// All counts.
    package init(
        application: ApplicationName? = nil, part: String? = nil, bytes: Int64, entries: Int64,
        totalBytes: Int64? = nil,
        totalEntries: Int64? = nil
    ) {
        self.application = application
        self.part = part
        self.bytes = bytes
        self.entries = entries
        self.totalBytes = totalBytes
        self.totalEntries = totalEntries
    }
}

/// A line of output of a hook.
package struct HookOutput: Sendable, Hashable {
    /// The application that the hook belongs to.
    package var application: ApplicationName?
    /// The plugin.
    package var plugin: String
    /// `stdout`, `stderr` or `log`.
    package var stream: String
    /// The line without its end.
    package var line: String

    /// A line and where it came from.
    package init(application: ApplicationName?, plugin: String, stream: String, line: String) {
        self.application = application
        self.plugin = plugin
        self.stream = stream
        self.line = line
    }
}
