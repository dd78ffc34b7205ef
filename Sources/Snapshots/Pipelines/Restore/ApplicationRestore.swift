import PluginProtocol
import JSONRPC
import Archiving
import Glibc
import JSON
import PluginHost
import Repository
import RepositoryFormat
import SnapshotModel
import Threads

/// Restores one application in place: stage everything, stop it, exchange, load dumps, start it.
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

    /// - Returns: sentences about what could not be confirmed; empty when the application runs again.
    func run() throws -> [String] {
        let (hooks, sources) = try ApplicationPlanner(host: host).openPlugins(of: plan.manifest)
        defer {
            for source in sources { source.close() }
            for hook in hooks { hook.plugin.close() }
        }
        recorder.phase(.staging, application: plan.name)
        var staged: [StagedEntry] = []
        do {
            for (offset, item) in plan.items.enumerated() {
                let entry = try StagedEntry(target: item.target, run: recorder.id, number: firstNumber + offset)
                staged.append(entry)
                try stage(item, entry)
            }
        } catch {
            discard(staged)
            throw error
        }
        let hold = ApplicationHold(
            host: host, recorder: recorder, leases: leases, caller: caller, name: plan.name, hooks: hooks, maxHold: nil,
            pair: .restore)
        do {
            try stop(hold)
            recorder.phase(.swapping, application: plan.name)
            for entry in staged { try entry.swap() }
            try load(sources)
        } catch {
            try rollBack(staged, hold, because: error)
        }
        recorder.phase(.starting, application: plan.name)
        hold.release(.ok)
        guard hold.unconfirmed.isEmpty else {
            for entry in staged {
                recorder.warn("The old data is kept until the application runs again.", path: entry.stage)
            }
            return hold.unconfirmed
        }
        discard(staged)
        return []
    }

    private func stage(_ item: RestorePlan.Item, _ entry: StagedEntry) throws {
        let failuresBefore = recorder.failureCount
        let restorer = Restorer(repository, observer: recorder, cancellation: host.cancellation)
        progress { restorer.statistics }
        try restorer.restore(item.node, to: entry.stage)
        guard recorder.failureCount == failuresBefore else {
            throw PipelineError(
                .damaged,
                "The \(item.kind) '\(item.name)' of '\(plan.name)' cannot be restored whole, so nothing was changed; "
                    + "restore what is left with --target DIR")
        }
        // What is exchanged in must survive a power cut right after.
        FileTree.synchronizeFileSystem(of: entry.stage)
    }

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

    private func rollBack(_ staged: [StagedEntry], _ hold: ApplicationHold, because error: any Error) throws -> Never {
        recorder.phase(.rollingBack, application: plan.name)
        var problems: [String] = []
        for entry in staged.reversed() {
            do { try entry.rollBack() } catch { problems.append("\(error) The old data is in \(entry.stage).") }
        }
        hold.release(.failed)
        guard problems.isEmpty else {
            throw PipelineError(.unwritable, problems.joined(separator: " "), cause: error)
        }
        discard(staged)
        throw error
    }

    private func discard(_ staged: [StagedEntry]) {
        for entry in staged {
            do { try entry.discard() } catch {
                recorder.warn("It could not be removed and may be deleted: \(error)", path: entry.stage)
            }
        }
    }
}

/// Hands out a file of a repository piece by piece.
private struct DumpReader {
    private let repository: OpenRepository
    private var ids: ArraySlice<ObjectID>
    private var part: ArraySlice<UInt8> = []
    private var loader: BlobLoader?

    init(repository: OpenRepository, node: TreeNode) {
        self.repository = repository
        ids = (node.content ?? [])[...]
    }

    /// Fills a buffer; 0 at the end.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if part.isEmpty, let id = ids.popFirst() {
            let loader = try loader ?? BlobLoader(repository)
            self.loader = loader
            part = try loader.load(id, .data)[...]
        }
        let count = min(buffer.count, part.count)
        buffer.copyBytes(from: part.prefix(count))
        part = part.dropFirst(count)
        return count
    }
}
