import Archiving
import Glibc
import JSON
import JSONRPC
import PluginHost
import PluginProtocol
import Repository
import RepositoryFormat
import SnapshotModel
import Threads

/// Restores one application in place: prove and stage everything, stop it, exchange, load dumps, start it.
///
/// Until everything is staged and proven nothing is touched. Afterwards each failure puts the old entries back.
struct ApplicationRestore {
    let host: PipelineHost
    let repository: OpenRepository
    let recorder: RunRecorder
    let leases: FreezeLeases
    let caller: HookCaller
    let plan: RestorePlan.Application
    /// Numbers the staged entries of the run.
    let firstNumber: Int
    let progress: (@escaping @Sendable () -> RestoreStatistics) -> Void
    /// So that hard links between volumes come back.
    let links = RestoredLinks()

    /// - Returns: sentences about what could not be confirmed; empty when the application runs again.
    func run() throws -> [String] {
        let lock = try ApplicationLock(plan.name, directory: host.journalDirectory)
        defer { withExtendedLifetime(lock) {} }
        for sentence in plan.missing { recorder.warn(sentence, application: plan.name) }
        recorder.phase(.verifying, application: plan.name)
        try verifyDumps()
        let (hooks, sources) = try ApplicationPlanner(host: host).openPlugins(of: plan.manifest)
        defer {
            for source in sources { source.close() }
            caller.forget(plan.name)
            for hook in hooks { hook.plugin.close() }
        }
        recorder.phase(.staging, application: plan.name)
        var staged: [StagedEntry] = []
        do { try stageAll(&staged) } catch {
            discard(staged)
            guard let full = error as? ArchiveError, full.code == .noSpace else { throw error }
            throw PipelineError(
                .unwritable,
                "There is no room for '\(plan.name)' beside what is there, so nothing was changed; free some, or restore "
                    + "with --target DIR", cause: full)
        }
        let hold = ApplicationHold(
            host: host, recorder: recorder, leases: leases, caller: caller, name: plan.name, hooks: hooks, maxHold: nil,
            pair: .restore)
        do {
            try stop(hold)
            recorder.phase(.swapping, application: plan.name)
            for entry in staged {
                try recorder.journal.append(.restoreSwapping(entry.record), durable: true)
                try entry.swap()
            }
            try load(sources)
            try host.cancellation.check()
            try recorder.journal.append(.restoreKept(plan.name), durable: true)
        } catch {
            try rollBack(staged, hold, because: error)
        }
        recorder.phase(.starting, application: plan.name)
        hold.release(.ok)
        guard hold.unconfirmed.isEmpty else {
            for entry in staged where entry.record.targetExisted {
                recorder.warn(
                    "The data from before the restore is kept here; delete it when the application runs again.",
                    path: entry.oldPlace)
            }
            return hold.unconfirmed
        }
        discard(staged)
        return []
    }

    // MARK: Before anything is touched

    private func verifyDumps() throws {
        for node in plan.dumpNodes {
            do { try DumpReader.verify(node, in: repository, cancellation: host.cancellation) } catch {
                try host.cancellation.check()
                throw PipelineError(
                    .damaged,
                    "The dump '\(node.displayName)' of '\(plan.name)' cannot be read whole, so nothing was changed",
                    cause: error)
            }
        }
    }

    /// Outer directories first: what belongs within another entry is built within its new one.
    private func stageAll(_ staged: inout [StagedEntry]) throws {
        let items = plan.items.enumerated().sorted {
            ($0.element.target.utf8.count, $0.offset) < ($1.element.target.utf8.count, $1.offset)
        }
        for (offset, item) in items {
            try host.cancellation.check()
            if let outer = staged.first(where: { item.target.hasPrefix($0.target + "/") }) {
                let inner = item.target.dropFirst(outer.target.utf8.count)
                try restore(item, to: outer.stage + inner, belongingTo: item.target)
                continue
            }
            let entry = try StagedEntry(
                target: item.target, isDirectory: item.node.kind == .dir, application: plan.name, run: recorder.id,
                number: firstNumber + offset)
            // Written before anything exists, so that nothing can be left behind that nobody knows of.
            try recorder.journal.append(.restoreStaged(entry.record), durable: true)
            try entry.prepare()
            staged.append(entry)
            try restore(item, to: entry.stage, belongingTo: entry.target)
        }
        for entry in staged {
            try entry.complete()
            // What is exchanged in must survive a power cut right after.
            FileTree.synchronizeFileSystem(of: entry.stage)
        }
    }

    private func restore(_ item: RestorePlan.Item, to path: String, belongingTo target: String) throws {
        let failuresBefore = recorder.failureCount
        let observer = StagingObserver(recorder: recorder, stage: path, target: target)
        let restorer = Restorer(
            repository, observer: observer, cancellation: host.cancellation, links: links)
        progress { restorer.statistics }
        try restorer.restore(item.node, to: path)
        guard recorder.failureCount == failuresBefore else {
            throw PipelineError(
                .damaged,
                "The \(item.kind) '\(item.name)' of '\(plan.name)' cannot be restored whole, so nothing was changed; "
                    + "restore what is left with --target DIR")
        }
    }

    // MARK: With the application stopped

    private func stop(_ hold: ApplicationHold) throws {
        recorder.phase(.stopping, application: plan.name)
        do {
            try hold.acquire(context: ["job": "restore"])
        } catch let error as PipelineError where !plan.items.contains(where: \.replaces) {
            // On a bare machine there is nothing to stop yet, and often not even the program that would.
            recorder.warn(
                "The application could not be stopped, and nothing of it is there: \(error)", application: plan.name)
        } catch is ApplicationSkipped {
            throw PipelineError(.quiesceFailed, "A hook of '\(plan.name)' refused the restore")
        }
    }

    private func load(_ sources: [SourcePlugin]) throws {
        for (source, (dump, node)) in zip(sources, zip(plan.manifest.dumps, dumpsByOrder)) {
            guard let node else { continue }
            var reader = DumpReader(repository: repository, node: node)
            do {
                try source.load(
                    run: recorder.id.text, name: dump.name, size: Int64(clamping: node.size),
                    context: ["application": .string(plan.name.text)], timeout: nil
                ) { try reader.read(into: $0) }
            } catch let error as PluginHostError where error.remote?.code == .unsupported {
                recorder.warn(
                    "The dump '\(dump.name)' was not loaded: \(error.remote?.message ?? "its plugin cannot load dumps")",
                    application: plan.name)
            }
        }
    }

    /// The node of each dump of the manifest; nil where the snapshot has none.
    private var dumpsByOrder: [TreeNode?] {
        plan.manifest.dumps.map { dump in plan.dumpNodes.first { $0.displayName == dump.name } }
    }

    // MARK: Ends

    private func rollBack(_ staged: [StagedEntry], _ hold: ApplicationHold, because error: any Error) throws -> Never {
        recorder.phase(.rollingBack, application: plan.name)
        var problems: [String] = []
        var restored: [StagedEntry] = []
        for entry in staged.reversed() {
            do {
                try entry.rollBack()
                restored.append(entry)
            } catch { problems.append("\(error); the old data is in \(entry.oldPlace).") }
        }
        hold.release(.failed)
        discard(restored)
        guard problems.isEmpty else {
            throw PipelineError(.unwritable, problems.joined(separator: " "), cause: error)
        }
        throw error
    }

    private func discard(_ staged: [StagedEntry]) {
        for entry in staged {
            do {
                try entry.discard()
                try recorder.journal.append(.restoreCleared(number: entry.record.number))
            } catch {
                recorder.warn("It could not be removed and may be deleted: \(error)", path: entry.stage)
            }
        }
    }
}
