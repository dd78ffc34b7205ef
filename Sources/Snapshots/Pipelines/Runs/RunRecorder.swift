import Logging
import Archiving
import Catalog
import JSON
package import PluginHost
import PluginProtocol
package import SnapshotModel
import Synchronization

/// Gets each event of a run as it is written, in order; called on the thread where it happened.
package typealias RunObserver = @Sendable (JournalEntry) -> Void

/// The one place where a run tells what happens: its journal, its row in the catalog, and whoever watches.
package final class RunRecorder: ArchiveObserver, RestoreObserver {
    private struct State {
        var run: Run
        var application: ApplicationName?
        var warnings: [SnapshotDocument.Warning] = []
        var failures = 0
        var warningCount = 0
    }

    /// Warnings that stand in the snapshot itself; the journal has all of them.
    private static let maximumDocumentWarnings = 1000

    /// The run.
    package let id: RunID
    let journal: RunJournal
    private let host: PipelineHost
    private let state: Mutex<State>

    /// Begins a run: its journal exists when this returns.
    package init(
        _ host: PipelineHost, kind: RunKind, application: ApplicationName? = nil, trigger: Trigger,
        observer: RunObserver? = nil
    ) throws {
        self.host = host
        id = host.makeRunID()
        let run = Run(
            id: id, kind: kind, application: application, trigger: trigger, state: .planning, started: host.clock())
        journal = try RunJournalDirectory(path: host.journalDirectory, now: host.clock).create(
            id,
            header: JournalHeader(
                kind: kind, application: application, trigger: trigger, programVersion: host.programVersion, owner: nil),
            observer: observer)
        state = Mutex(State(run: run))
        try host.catalog.save(run)
    }

    /// What people want to know about the run; a value as of one moment.
    package var run: Run { state.withLock { $0.run } }

    /// The warnings so far.
    package var warnings: [SnapshotDocument.Warning] { state.withLock { $0.warnings } }

    /// How many warnings there were.
    package var warningCount: Int { state.withLock { $0.warningCount } }

    /// How many entries could not be restored.
    package var failureCount: Int { state.withLock { $0.failures } }

    /// Attributes what follows to an application; nil ends that.
    package func setApplication(_ application: ApplicationName?) { state.withLock { $0.application = application } }

    /// The run comes to a state.
    package func phase(_ phase: RunState, application: ApplicationName? = nil) {
        state.withLock { $0.run.state = phase }
        record(.phase(phase, application: application))
    }

    /// Something is not as it should be; the run goes on.
    package func warn(_ message: String, path: String? = nil, application: ApplicationName? = nil) {
        let warning = state.withLock { state -> SnapshotDocument.Warning in
            let warning = SnapshotDocument.Warning(
                application: application ?? state.application, path: path, message: message)
            state.warningCount += 1
            if state.warnings.count < Self.maximumDocumentWarnings { state.warnings.append(warning) }
            return warning
        }
        record(.warning(warning))
    }

    package func warning(path: String, message: String) { warn(message, path: path) }

    package func failure(path: String, message: String) {
        state.withLock { $0.failures += 1 }
        warn(message, path: path)
    }

    /// An application, or the run, does not go on.
    package func error(_ message: String, application: ApplicationName? = nil) {
        record(.error(message: message, application: application))
    }

    /// How far it has come; kept in the journal for who watches from outside.
    package func progress(_ progress: RunProgress) { record(.progress(progress)) }

    /// Notes the snapshot that was made.
    package func recorded(snapshot: String, tree: String) {
        state.withLock { $0.run.snapshot = snapshot }
        record(.snapshotRecorded(id: snapshot, tree: tree))
    }

    /// What a plugin printed or logged.
    package func pluginEvent(_ event: PluginEvent) {
        let application = state.withLock { $0.application }
        switch event {
        case .log(let plugin, _, let message):
            record(.hookOutput(HookOutput(application: application, plugin: plugin, stream: "log", line: message)))
        case .standardError(let plugin, let line):
            record(.hookOutput(HookOutput(application: application, plugin: plugin, stream: "stderr", line: line)))
        case .noise(let plugin, let line):
            record(.hookOutput(HookOutput(application: application, plugin: plugin, stream: "stdout", line: line)))
        case .restarted(let plugin, let reason):
            warn("The plugin '\(plugin)' was restarted: \(reason)")
        case .warning(let plugin, let message):
            record(.hookOutput(HookOutput(application: application, plugin: plugin, stream: "log", line: message)))
        default: break
        }
    }

    /// Ends the run.
    ///
    /// - Returns: the run as it stands in the catalog.
    @discardableResult
    package func finish(_ final: RunState, exitCode: ExitCode, message: String?, counters: Run.Counters) throws -> Run {
        let run = state.withLock { state -> Run in
            state.run.state = final
            state.run.finished = host.clock()
            state.run.exitCode = exitCode
            state.run.message = message
            state.run.counters = counters
            return state.run
        }
        // Each is tried whatever the other does: on a full disk one of them may still get through.
        defer { journal.close() }
        let recorded = Result {
            try journal.append(.finished(final, exitCode: exitCode, message: message), durable: true)
        }
        try host.catalog.save(run)
        _ = try recorded.get()
        return run
    }

    /// What cannot be written to the journal must not end the run: leases, whose records are promises, go through the
    /// journal themselves and do fail.
    private func record(_ event: RunEvent) {
        do { try journal.append(event) } catch {
            host.logger.error("journal cannot be written", metadata: ["run.id": "\(id)", "error": "\(error)"])
        }
    }
}
