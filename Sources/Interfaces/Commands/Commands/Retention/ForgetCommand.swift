import ArgumentParser
import HostServices
import JSON
import Maintenance
import Pipelines
import Repository
import RepositoryFormat
import Retention
import SnapshotModel

struct ForgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget", abstract: "Remove snapshots by a policy, or by their ids.",
        discussion: """
            A snapshot that any rule wants is kept; the rules are applied to each group for itself. Pinned snapshots stay, \
            and by a policy those of plain restic, too. What was forgotten cannot be brought back; its data takes space \
            until a prune, which --prune adds when anything was removed.

            Example: stillpoint forget --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --dry-run
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Argument(help: ArgumentHelp("Ids, their first digits, or 'latest'; without a policy.", valueName: "snapshot"))
    var snapshots: [String] = []
    @OptionGroup(title: "Policy") var keep: KeepOptions
    @OptionGroup(title: "Filter") var filter: SnapshotFilterOptions
    @Option(
        name: [.customShort("g"), .customLong("group-by")],
        help: ArgumentHelp("Any of host, paths, tags and application; '' for one group.", valueName: "words"))
    var groupBy = "host,paths"
    @Flag(name: .long, help: "Apply the policy to snapshots of plain restic as well.") var foreign = false
    @Flag(name: [.customShort("n"), .customLong("dry-run")], help: "Say what would be done, and why; remove nothing.")
    var dryRun = false
    @Flag(name: .customLong("no-lock"), help: "With --dry-run: do not lock the repository.") var noLock = false
    @Flag(name: .long, help: "Prune afterwards, under the same lock, when anything was removed.") var prune = false
    @OptionGroup(title: "Prune") var pruneSettings: PruneSettings
    @Flag(name: .customLong("yes"), help: "Do not ask for the confirmation.") var yes = false

    func validate() throws {
        if noLock, !dryRun {
            throw ValidationError("--no-lock goes with --dry-run only: without a lock nothing is removed.")
        }
        if noLock, prune {
            throw ValidationError("--no-lock does not go with --prune: what others write would look like garbage.")
        }
        _ = try pruneSettings.options()
    }

    func run() throws {
        let session = CommandSession(options)
        let request = try request()
        try session.withHost { host in
            guard !yes, !dryRun else {
                return try session.withRepository(
                    host, passwords, lock: dryRun && noLock ? nil : .exclusive, index: false
                ) { destination in
                    let listing = try SnapshotListing(destination, session)
                    let plan = try plan(request, listing, host)
                    guard !dryRun else {
                        show(ForgetText(plan, isDryRun: true), session.terminal)
                        return try pruneAfter(plan, destination, host, session)
                    }
                    try carryOut(plan, listing, destination, host, session)
                }
            }
            try session.withRepository(host, passwords, lock: nil, index: false) { destination in
                // The question is asked without a lock: others can work as long as it stands.
                let confirmed = try plan(request, SnapshotListing(destination, session), host)
                guard !confirmed.removed.isEmpty else {
                    return show(ForgetText(confirmed, isDryRun: false), session.terminal)
                }
                try confirm(confirmed, session)
                let patience = try CommandSession.patience(passwords)
                try session.holding(destination, host, lock: .exclusive, patience: patience, index: false) {
                    destination in
                    let listing = try SnapshotListing(destination, session)
                    let plan = try plan(request, listing, host)
                    let ids = Set(confirmed.removed.map(\.id))
                    let added = plan.removed.count { !ids.contains($0.id) }
                    guard added == 0 else { throw MaintenanceError.planChanged(added: added) }
                    try carryOut(plan, listing, destination, host, session)
                }
            }
        }
    }

    private func request() throws -> ForgetRequest {
        let policy = try keep.policy()
        if snapshots.isEmpty {
            guard !policy.isEmpty else { throw RetentionError.noRules }
        } else if !policy.isEmpty {
            throw ValidationError("Give either snapshots or a policy of --keep-* options, not both.")
        }
        return ForgetRequest(
            selection: SnapshotChoice(names: snapshots, filter: try filter.filter()), policy: policy,
            grouping: try SnapshotGrouping(groupBy), includesForeign: foreign)
    }

    private func plan(_ request: ForgetRequest, _ listing: SnapshotListing, _ host: Host) throws -> ForgetPlan {
        try ForgetPlan(
            request, snapshots: listing.snapshots, hostname: host.pipelines.identity.hostname,
            clock: Host.retentionClock())
    }

    private func confirm(_ plan: ForgetPlan, _ session: CommandSession) throws {
        ForgetText(plan, isDryRun: false).lines.map(Terminal.printable).forEach(session.terminal.remark)
        let count = plan.removed.count
        let question = "Type 'forget' to remove \(count) snapshot\(count == 1 ? "" : "s") for good: "
        guard let answer = try Terminal.ask(question, echo: true, session.cancellation) else {
            throw CommandExit(
                code: .usage, message: "There is no terminal to confirm this on; use --yes when you are sure.")
        }
        guard answer == "forget" else {
            throw CommandExit(code: .failed, message: "'forget' was not typed; nothing was removed.")
        }
    }

    private func carryOut(
        _ plan: ForgetPlan, _ listing: SnapshotListing, _ destination: OpenDestination, _ host: Host,
        _ session: CommandSession
    ) throws {
        let result = try SnapshotForgetting(destination.repository, cancellation: session.cancellation)
            .remove(plan.removed)
        let removed = Set(result.removed)
        listing.remember(listing.snapshots.filter { !removed.contains($0.id) }, host, session)
        show(ForgetText(plan, isDryRun: false, result: result), session.terminal)
        for failure in result.failures {
            session.terminal.warning("The snapshot \(failure.id.short) was not removed: \(failure.error)")
        }
        guard result.failures.isEmpty else {
            throw CommandExit(
                code: .partial,
                message: "\(result.failures.count) of \(plan.removed.count) snapshots could not be removed.")
        }
        try pruneAfter(plan, destination, host, session)
    }

    private func pruneAfter(
        _ plan: ForgetPlan, _ destination: OpenDestination, _ host: Host, _ session: CommandSession
    ) throws {
        guard prune, !plan.removed.isEmpty else { return }
        let step = PruneStep(options: try pruneSettings.options(), isDryRun: dryRun)
        try step.run(
            destination, ignoring: dryRun ? Set(plan.removed.map(\.id)) : [], detail: .result, host, session)
    }

    private func show(_ text: ForgetText, _ terminal: Terminal) {
        if terminal.isJSON { return terminal.result(JSONLine.encoded(text.json)) }
        text.lines.map(Terminal.printable).forEach(terminal.result)
        terminal.result(text.summary)
    }
}
