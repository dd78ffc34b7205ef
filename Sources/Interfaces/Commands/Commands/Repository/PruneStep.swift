import HostServices
import Maintenance
import RepositoryFormat

/// A prune as `prune` and `forget --prune` do it, in a repository that is locked exclusively.
struct PruneStep {
    let options: PruneOptions
    let isDryRun: Bool

    /// Removes what nobody needs any more, or says what would be removed.
    ///
    /// - Parameters:
    ///   - ignored: snapshots that are there and count as gone: those that a dry run of `forget` would remove.
    ///   - detail: how much of the plan to tell: nothing, the table, or each pack.
    func run(
        _ destination: OpenDestination, ignoring ignored: Set<ObjectID> = [], detail: Detail, _ host: Host,
        _ session: CommandSession
    ) throws {
        let terminal = session.terminal
        var options = options
        options.knownSnapshots = try host.knownSnapshots()
        options.ignoredSnapshots = ignored
        let prune = Prune(destination.repository, options: options, cancellation: session.cancellation) { progress in
            let total = progress.total.map { "/\($0)" } ?? ""
            terminal.progress("\(progress.phase.rawValue)  \(progress.done)\(total)")
        }
        let plan = try prune.plan()
        terminal.progress(nil)
        let text = PrunePlanText(plan: plan)
        if !terminal.isJSON, detail != .result {
            text.lines(isDetailed: detail == .packs).forEach(terminal.result)
        }
        if !isDryRun {
            try prune.execute(plan)
            terminal.progress(nil)
            try host.makeReserve(destination.repository)
        }
        if terminal.isJSON { return terminal.result(JSONLine.encoded(text.json(done: !isDryRun))) }
        terminal.result((isDryRun ? "would free " : "freed ") + text.result)
    }

    /// How much of the plan is told.
    enum Detail { case result, table, packs }
}
