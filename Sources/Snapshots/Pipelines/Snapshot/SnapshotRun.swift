package import Archiving
import Catalog
import Glibc
import JSON
import Logging
import PluginProtocol
package import Repository
import RepositoryFormat
import SnapshotModel
import Threads

/// Takes a snapshot: plan, hold and capture each application in turn, store, record.
///
/// One run makes one snapshot object, so it exists whole or not at all.
package struct SnapshotRun {
    let host: PipelineHost
    let repository: OpenRepository
    let request: SnapshotRequest
    let recorder: RunRecorder
    private let caller: HookCaller
    private let leases: FreezeLeases
    private let started: Moment

    /// - Parameter recorder: of a run that was just begun.
    package init(_ host: PipelineHost, _ repository: OpenRepository, _ request: SnapshotRequest, recorder: RunRecorder)
    {
        self.host = host
        self.repository = repository
        self.request = request
        self.recorder = recorder
        caller = HookCaller(host)
        leases = FreezeLeases(journal: recorder.journal, caller: caller, policy: host.releasePolicy)
        started = host.clock()
    }

    /// An application that was planned, or why it could not be.
    private enum Planned {
        case ready(ApplicationPlan)
        case failed(ApplicationName, any Error)
    }

    /// Runs to the end; the repository must be locked and its index loaded.
    ///
    /// - Parameter progress: gets a function for the counters once they run.
    /// - Returns: also for runs that failed: the outcome says why.
    package func run(progress: (@escaping @Sendable () -> ArchiveStatistics) -> Void = { _ in }) -> SnapshotOutcome {
        var planned: [Planned] = []
        defer {
            for case .ready(let plan) in planned { plan.close() }
            caller.close()
        }
        do {
            try plan(into: &planned)
            return try attempt(planned, progress)
        } catch {
            // While the plugins still run: nothing may leave a run while an application is held.
            let report = leases.release(outcome: host.cancellation.isCancelled ? .cancelled : .failed)
            return finish(failed: error, unconfirmed: report.unconfirmed.map(\.description))
        }
    }

    private func attempt(
        _ planned: [Planned], _ progress: (@escaping @Sendable () -> ArchiveStatistics) -> Void
    ) throws -> SnapshotOutcome {
        let archiver = try Archiver(repository, observer: recorder, cancellation: host.cancellation)
        progress { archiver.statistics }
        var capture = CaptureState()
        do {
            for planned in planned { try captureOne(planned, archiver, &capture) }
            if capture.applications.isEmpty, request.kind == .partial {
                throw capture.firstFailure ?? nothingCaptured()
            }
            if request.kind == .full {
                recorder.setApplication(nil)
                for (name, node) in try ConsoleCapture(host: host, archiver: archiver).run(recorder.id) {
                    capture.tree.insert(node, at: ["console", name])
                }
            }
        } catch {
            archiver.abandon()
            throw error
        }
        return try store(capture, archiver)
    }

    // MARK: Stages

    private struct CaptureState {
        var tree = VirtualDirectory()
        var applications: [SnapshotDocument.Application] = []
        var firstFailure: (any Error)?
        var unconfirmed: [String] = []
    }

    private func plan(into planned: inout [Planned]) throws {
        recorder.phase(.planning)
        let planner = ApplicationPlanner(host: host)
        let registered: [RegisteredApplication]
        if let name = request.application {
            registered = [try host.catalog.application(named: name)]
        } else {
            registered = try host.catalog.applications()
        }
        for tag in request.tags { try SnapshotTags.validate(userTag: tag) }
        let previous = PreviousVolumes(repository, cancellation: host.cancellation, hostname: host.identity.hostname)
        for application in registered {
            try host.cancellation.check()
            do {
                var plan = try planner.plan(application)
                plan.detection = request.detection
                if !request.detection.readsEverything {
                    plan.previousVolumes = previous.nodes(of: application.name)
                }
                planned.append(.ready(plan))
            } catch  where request.kind == .full && !host.cancellation.isCancelled {
                planned.append(.failed(application.name, error))
            }
        }
    }

    private func captureOne(_ planned: Planned, _ archiver: Archiver, _ state: inout CaptureState) throws {
        try host.cancellation.check()
        switch planned {
        case .failed(let name, let error):
            lose(name, error, &state)
        case .ready(let plan):
            recorder.setApplication(plan.name)
            defer { recorder.setApplication(nil) }
            let hold = ApplicationHold(
                host: host, recorder: recorder, leases: leases, caller: caller, name: plan.name, hooks: plan.hooks,
                maxHold: plan.manifest.maxHold, pair: .backup)
            defer { state.unconfirmed += hold.unconfirmed }
            do {
                let lock = try ApplicationLock(plan.name, directory: host.journalDirectory)
                defer { withExtendedLifetime(lock) {} }
                let result = try ApplicationCapture(
                    host: host, recorder: recorder, archiver: archiver, plan: plan, hold: hold
                ).run()
                for node in try result.tree.save(with: archiver) {
                    state.tree.insert(node, at: ["applications", plan.name.text, node.displayName])
                }
                state.applications.append(result.document)
            } catch let skipped as ApplicationSkipped where request.kind == .full {
                recorder.warn("The application was skipped: \(skipped.reason)", application: plan.name)
            } catch let error as PipelineError where request.kind == .full && !host.cancellation.isCancelled {
                lose(plan.name, error, &state)
            }
        }
    }

    /// An application that cannot be captured does not keep the others from it.
    private func lose(_ name: ApplicationName, _ error: any Error, _ state: inout CaptureState) {
        state.firstFailure = state.firstFailure ?? error
        recorder.error("\(error)", application: name)
        recorder.warn("The application was not captured: \(error)", application: name)
    }

    private func store(_ capture: CaptureState, _ archiver: Archiver) throws -> SnapshotOutcome {
        recorder.phase(.storing)
        let finished = host.clock()
        let document = SnapshotDocument(
            kind: request.kind, run: recorder.id, trigger: request.trigger, started: started, finished: finished,
            host: host.identity.hostname, programVersion: host.programVersion, applications: capture.applications,
            warnings: recorder.warnings)
        var tree = capture.tree
        let root: ObjectID
        do {
            tree.insert(
                try archiver.archive(try document.json.encoded() + [0x0A], as: SnapshotDocument.fileName),
                at: [SnapshotDocument.fileName])
            tree.insert(
                try archiver.archive(Array(RecoveryDocument(for: document).text.utf8), as: RecoveryDocument.fileName),
                at: [RecoveryDocument.fileName])
            root = try archiver.saveTree(try tree.save(with: archiver))
        } catch {
            archiver.abandon()
            throw error
        }
        try archiver.finish()
        recorder.phase(.recording)
        let record = snapshotRecord(document, root, archiver, isWhole: capture.firstFailure == nil)
        let id = try repository.save(record)
        recorder.recorded(snapshot: id.hexadecimal, tree: root.hexadecimal)
        let snapshot = OpenRepository.Snapshot(id: id, record: record)
        // From here on the snapshot exists. The catalog only remembers it, and is rebuilt from the repository.
        do { try host.catalog.save(SnapshotSummary(snapshot), in: "default") } catch {
            recorder.warn("The snapshot was made, and the catalog could not take note of it: \(error)")
        }
        return finish(capture, document, id, archiver)
    }

    private func snapshotRecord(
        _ document: SnapshotDocument, _ root: ObjectID, _ archiver: Archiver, isWhole: Bool
    ) -> SnapshotRecord {
        var tags = document.tags(adding: request.tags)
        // An application that is missing is in no list of the document, and something was skipped all the same.
        if !isWhole { tags.consistency = .partial }
        let statistics = archiver.statistics
        let added = archiver.added
        let time = timestamp(started)
        var summary = SnapshotRecord.Summary(started: time, ended: timestamp(host.clock()))
        summary.filesNew = statistics.filesNew
        summary.filesChanged = statistics.filesChanged
        summary.filesUnmodified = statistics.filesUnmodified
        summary.directoriesNew = statistics.directories
        summary.dataBlobs = added.dataBlobs
        summary.treeBlobs = added.treeBlobs
        summary.dataAdded = added.addedByteCount
        summary.dataAddedPacked = added.packedByteCount
        summary.totalFilesProcessed = statistics.files
        summary.totalBytesProcessed = statistics.bytes
        // restic shows these; the paths tell people what a snapshot is, and group snapshots for its own retention.
        let path = request.application.map { "/applications/\($0)" } ?? "/stillpoint/full"
        return SnapshotRecord(
            time: time, tree: root, paths: [path], hostname: host.identity.hostname, username: host.identity.username,
            uid: host.identity.uid, gid: host.identity.gid, tags: tags.encoded,
            programVersion: "stillpoint \(host.programVersion)", summary: summary)
    }

    private func timestamp(_ moment: Moment) -> Timestamp {
        Timestamp(milliseconds: moment.milliseconds, offsetMinutes: host.localOffsetMinutes(moment))
    }

    // MARK: Ends

    private func finish(
        _ capture: CaptureState, _ document: SnapshotDocument, _ id: ObjectID, _ archiver: Archiver
    ) -> SnapshotOutcome {
        let statistics = archiver.statistics
        var state = RunState.completed
        var message: String?
        var exitCode: ExitCode?
        if !capture.unconfirmed.isEmpty {
            state = .partiallyFailed
            exitCode = .releaseNotConfirmed
            message = capture.unconfirmed.joined(separator: " ")
        } else if let failure = capture.firstFailure {
            state = .partiallyFailed
            message = "Not every application is in the snapshot: \(failure)"
        } else if recorder.warningCount > 0 {
            state = .completedWithWarnings
            message =
                "The snapshot was made with \(recorder.warningCount) warning\(recorder.warningCount == 1 ? "" : "s")."
        }
        var finalCode = exitCode ?? state.exitCode ?? .done
        let counters = Run.Counters(
            bytes: Int64(clamping: statistics.bytes), files: Int64(clamping: statistics.files),
            warnings: Int64(recorder.warningCount))
        var run = recorder.run
        do {
            run = try recorder.finish(state, exitCode: finalCode, message: message, counters: counters)
        } catch {
            message = "The snapshot \(id.short) was made, and the end of its run could not be recorded: \(error)"
            if finalCode == .done { finalCode = .partial }
            (run.state, run.exitCode, run.message, run.counters) = (state, finalCode, message, counters)
        }
        return SnapshotOutcome(
            run: run, snapshot: id, document: document, exitCode: finalCode, message: message,
            addedByteCount: archiver.added.addedByteCount, packedByteCount: archiver.added.packedByteCount)
    }

    private func finish(failed error: any Error, unconfirmed: [String]) -> SnapshotOutcome {
        var (state, exitCode, message) = RunFailure.classified(error, cancellation: host.cancellation)
        if !unconfirmed.isEmpty {
            (state, exitCode) = (.failed, .releaseNotConfirmed)
            message = (unconfirmed + [message]).joined(separator: " ")
        }
        recorder.error(message)
        var run = recorder.run
        do {
            run = try recorder.finish(
                state, exitCode: exitCode, message: message, counters: .init(warnings: Int64(recorder.warningCount)))
        } catch {
            host.logger.error(
                "the end of a run cannot be recorded", metadata: ["run.id": "\(recorder.id)", "error": "\(error)"])
        }
        return SnapshotOutcome(
            run: run, snapshot: nil, document: nil, exitCode: exitCode, message: message, addedByteCount: 0,
            packedByteCount: 0)
    }

    private func nothingCaptured() -> PipelineError {
        PipelineError(.nothingDone, "Nothing was captured, so no snapshot was made.")
    }
}
