/// One execution of a pipeline, as the history shows it. What happened in it stands in its journal.
package struct Run: Sendable, Hashable {
    /// What a run did, in numbers that only grow.
    package struct Counters: Sendable, Hashable {
        /// Bytes of data that were read or written back.
        package var bytes: Int64
        /// Entries of trees: files, directories, links.
        package var files: Int64
        /// Warnings in the journal.
        package var warnings: Int64

        /// All counters.
        package init(bytes: Int64 = 0, files: Int64 = 0, warnings: Int64 = 0) {
            self.bytes = bytes
            self.files = files
            self.warnings = warnings
        }
    }

    /// The id; its time is when the run was asked for.
    package var id: RunID
    /// What it does.
    package var kind: RunKind
    /// The one application it is about; nil when it is about several or none.
    package var application: ApplicationName?
    /// Who started it.
    package var trigger: Trigger
    /// Where it stands.
    package var state: RunState
    /// When it began.
    package var started: Moment
    /// When it ended; nil while it goes on, or when it was killed and nobody has looked yet.
    package var finished: Moment?
    /// The snapshot that it made or read, 64 hexadecimal digits.
    package var snapshot: String?
    /// How the command ended; nil while it goes on.
    package var exitCode: ExitCode?
    /// One sentence about the result, for the history.
    package var message: String?
    /// What it did so far.
    package var counters: Counters

    /// A run with everything that the history keeps about it.
    package init(
        id: RunID, kind: RunKind, application: ApplicationName? = nil, trigger: Trigger, state: RunState,
        started: Moment, finished: Moment? = nil, snapshot: String? = nil, exitCode: ExitCode? = nil,
        message: String? = nil, counters: Counters = Counters()
    ) {
        self.id = id
        self.kind = kind
        self.application = application
        self.trigger = trigger
        self.state = state
        self.started = started
        self.finished = finished
        self.snapshot = snapshot
        self.exitCode = exitCode
        self.message = message
        self.counters = counters
    }
}
