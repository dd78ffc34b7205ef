package import Archiving
import PluginProtocol
import Catalog
import Glibc
import Logging
package import Repository
import RepositoryFormat
package import SnapshotModel
import Threads

/// How a restore ended.
package struct RestoreOutcome: Sendable {
    package let run: Run
    package let exitCode: ExitCode
    /// One sentence about what went wrong; nil when nothing did.
    package let message: String?
    /// Entries and bytes that were written.
    package let entryCount: UInt64
    package let byteCount: UInt64
    /// Applications that this host did not know and knows now.
    package let registered: [ApplicationName]
}

/// Carries out a ``RestorePlan``.
package final class RestoreRun {
    private let host: PipelineHost
    private let repository: OpenRepository
    private let plan: RestorePlan
    private let recorder: RunRecorder
    private let caller: HookCaller
    private let leases: FreezeLeases
    private var registered: [ApplicationName] = []
    private var readers: [@Sendable () -> RestoreStatistics] = []

    /// - Parameter recorder: of a run that was just begun.
    package init(_ host: PipelineHost, _ repository: OpenRepository, _ plan: RestorePlan, recorder: RunRecorder) {
        self.host = host
        self.repository = repository
        self.plan = plan
        self.recorder = recorder
        caller = HookCaller(host)
        leases = FreezeLeases(journal: recorder.journal, caller: caller, policy: host.releasePolicy)
    }

    /// Runs to the end; the repository must be locked and its index loaded.
    ///
    /// - Parameter progress: gets a function for the counters of all parts whenever a part begins.
    package func run(progress: @escaping (@escaping @Sendable () -> RestoreStatistics) -> Void = { _ in })
        -> RestoreOutcome
    {
        defer { caller.close() }
        var unconfirmed: [String] = []
        var failures: [any Error] = []
        var restored: [RestorePlan.Application] = []
        do {
            if let files = plan.files { try restoreFiles(files, progress) }
            var number = 0
            for application in plan.applications {
                try host.cancellation.check()
                recorder.setApplication(application.name)
                do {
                    unconfirmed += try ApplicationRestore(
                        host: host, repository: repository, recorder: recorder, leases: leases, caller: caller,
                        plan: application, firstNumber: number,
                        progress: { self.follow($0, progress) }
                    ).run()
                    restored.append(application)
                } catch  where plan.applications.count > 1 && !host.cancellation.isCancelled {
                    recorder.warn("The application was not restored: \(error)", application: application.name)
                    failures.append(error)
                }
                number += application.items.count
            }
            recorder.setApplication(nil)
            if let console = plan.console { try restoreConsole(console, progress) }
            try register(restored)
        } catch {
            failures.append(error)
        }
        unconfirmed += leases.release(outcome: .failed).unconfirmed.map(\.description)
        return finish(failures, unconfirmed)
    }

    /// Adds the counters of a part; whoever watches sees the sum of all parts.
    private func follow(
        _ reader: @escaping @Sendable () -> RestoreStatistics,
        _ progress: (@escaping @Sendable () -> RestoreStatistics) -> Void
    ) {
        readers.append(reader)
        let all = readers
        progress {
            all.reduce(into: RestoreStatistics()) { sum, reader in
                let part = reader()
                sum.files += part.files
                sum.directories += part.directories
                sum.others += part.others
                sum.bytes += part.bytes
                sum.totalBytes += part.totalBytes
            }
        }
    }

    private func restoreFiles(
        _ files: RestorePlan.Files, _ progress: (@escaping @Sendable () -> RestoreStatistics) -> Void
    ) throws {
        recorder.phase(.staging)
        let restorer = Restorer(repository, observer: recorder, cancellation: host.cancellation)
        follow({ restorer.statistics }, progress)
        for (path, node) in files.entries {
            let names = path.split(separator: "/")
            var folder = ""
            for name in files.target.split(separator: "/") {
                folder += "/\(name)"
                try makeDirectory(folder)
            }
            for name in names.dropLast() {
                folder += "/\(name)"
                try makeDirectory(folder)
            }
            try restorer.restore(node, to: files.target + "/" + path)
        }
    }

    /// An application that was restored on a new machine belongs to that machine's next full snapshot.
    private func register(_ applications: [RestorePlan.Application]) throws {
        for application in applications where try host.catalog.optionalApplication(named: application.name) == nil {
            try host.catalog.register(
                application.name, manifestText: application.manifestText, sourcePath: application.sourcePath,
                at: host.clock())
            registered.append(application.name)
        }
    }

    private func makeDirectory(_ path: String) throws {
        guard FileTree.makeDirectory(path, mode: 0o755) else {
            throw PipelineError(.unwritable, "The directory \(path) cannot be made: \(systemMessage(errno))")
        }
    }

    /// The catalog's copy takes the place of the catalog, which keeps where it found the copy, and what has happened
    /// since.
    private func restoreConsole(
        _ node: TreeNode, _ progress: (@escaping @Sendable () -> RestoreStatistics) -> Void
    ) throws {
        let copy = "\(host.scratchDirectory)/restored-\(recorder.id).sqlite3"
        defer { unlink(copy) }
        let failuresBefore = recorder.failureCount
        let restorer = Restorer(repository, observer: recorder, cancellation: host.cancellation)
        follow({ restorer.statistics }, progress)
        try restorer.restore(node, to: copy)
        guard recorder.failureCount == failuresBefore else {
            throw PipelineError(.damaged, "The console's state in the snapshot is damaged, so it was not changed")
        }
        let destinations = try host.catalog.destinations()
        let history = try host.catalog.runs(limit: .max)
        try host.catalog.replace(from: copy)
        for destination in destinations { try host.catalog.save(destination, at: host.clock()) }
        for run in history { try host.catalog.save(run) }
        try closeRunOfSnapshot(known: Set(history.map(\.id)))
    }

    /// The copy was made while its own run went on; that it was stored shows that the run came to its end.
    private func closeRunOfSnapshot(known: Set<RunID>) throws {
        guard let id = SnapshotTags(decoding: plan.snapshot.record.tags)?.run, !known.contains(id) else { return }
        for var run in try host.catalog.unfinishedRuns() where run.id == id {
            run.state = .completed
            run.finished = Moment(
                milliseconds: plan.snapshot.record.summary?.ended.milliseconds ?? run.started.milliseconds)
            run.exitCode = .done
            run.snapshot = plan.snapshot.id.hexadecimal
            run.message = "Its snapshot is the one that this console was restored from."
            try host.catalog.save(run)
        }
    }

    private func finish(_ failures: [any Error], _ unconfirmed: [String]) -> RestoreOutcome {
        var state = RunState.completed
        var exitCode: ExitCode?
        var message: String?
        if let first = failures.first {
            let classified = RunFailure.classified(first, cancellation: host.cancellation)
            let parts = plan.applications.count + (plan.restoresConsole ? 1 : 0)
            let isPartial = failures.count < parts && parts > 1 && !host.cancellation.isCancelled
            state = isPartial ? .partiallyFailed : classified.state
            exitCode = isPartial ? nil : classified.exitCode
            message = classified.message
        } else if recorder.failureCount > 0 {
            state = .partiallyFailed
            message = "\(recorder.failureCount) entries could not be restored."
        } else if recorder.warningCount > 0 {
            state = .completedWithWarnings
            message = "Restored with \(recorder.warningCount) warning\(recorder.warningCount == 1 ? "" : "s")."
        }
        if !unconfirmed.isEmpty {
            if state == .completed || state == .completedWithWarnings { state = .partiallyFailed }
            exitCode = .releaseNotConfirmed
            message = (unconfirmed + [message].compactMap { $0 }).joined(separator: " ")
        }
        let statistics = readers.map { $0() }
        let entries = statistics.reduce(0) { $0 + $1.entries }
        let bytes = statistics.reduce(0) { $0 + $1.bytes }
        let code = exitCode ?? state.exitCode ?? .done
        if code != .done, let message, !failures.isEmpty { recorder.error(message) }
        var run = recorder.run
        do {
            run = try recorder.finish(
                state, exitCode: code, message: message,
                counters: .init(
                    bytes: Int64(clamping: bytes), files: Int64(clamping: entries),
                    warnings: Int64(recorder.warningCount)))
        } catch {
            host.logger.error(
                "the end of a run cannot be recorded", metadata: ["run.id": "\(recorder.id)", "error": "\(error)"])
        }
        return RestoreOutcome(
            run: run, exitCode: code, message: message, entryCount: entries, byteCount: bytes,
            registered: registered)
    }
}
