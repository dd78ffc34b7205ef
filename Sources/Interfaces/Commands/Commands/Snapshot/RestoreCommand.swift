import Archiving
import ArgumentParser
import HostServices
import JSON
import Pipelines
import Repository
import RepositoryFormat
import SnapshotModel

struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Restore a snapshot: everything, one application, the console, or files.",
        discussion: """
            In place, each volume is restored beside the old one and exchanged with it when all of it is there; a \
            failure brings the old one back. With --target DIR files are written below DIR and nothing else is touched.

            'latest' is the newest snapshot of this host that holds what is asked for, or of any host when this one has \
            none.
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Argument(
        help: ArgumentHelp(
            "An id, its first digits, or 'latest'; with :PATH only that path, to a target.",
            valueName: "snapshot[:path]")) var snapshot: String
    @Option(name: .shortAndLong, help: ArgumentHelp("Only this application.", valueName: "name")) var application:
        String?
    @Flag(name: .customLong("console-only"), help: "Only the console's own state, from a full snapshot.")
    var consoleOnly = false
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write files below this directory; touch no application.", valueName: "dir")) var target:
        String?
    @Flag(name: [.customShort("n"), .customLong("dry-run")], help: "Show the plan and change nothing.") var dryRun =
        false
    @Flag(name: .shortAndLong, help: "Do not ask for the confirmation.") var yes = false

    func validate() throws {
        if application != nil, consoleOnly { throw ValidationError("Choose one of --application and --console-only.") }
        if SnapshotArgument(snapshot).path != nil, application != nil || consoleOnly {
            throw ValidationError("A path of a snapshot goes with --target only.")
        }
        if let path = SnapshotArgument(snapshot).path, path.contains(where: { $0 != "/" }), target == nil {
            throw ValidationError("A path of a snapshot is restored with --target DIR only.")
        }
    }

    func run() throws {
        let session = CommandSession(options)
        let argument = SnapshotArgument(snapshot)
        let scope: RestoreRequest.Scope
        if let path = argument.path, !path.split(separator: "/").isEmpty {
            scope = .path(path)
        } else if let application {
            scope = .application(try ApplicationName(application))
        } else {
            scope = consoleOnly ? .console : .everything
        }
        let request = RestoreRequest(scope: scope, target: try target.map { try StatePaths.absolute($0) })
        let outcome = try session.withHost { host in
            try session.withRepository(
                host, passwords, lock: dryRun ? nil : .shared, index: true, toleratesDamage: true
            ) { destination in
                let snapshots = try destination.repository.snapshots(cancellation: session.cancellation) { _, _ in }
                let found = try choose(snapshots, scope, hostname: host.pipelines.identity.hostname)
                let plan = try RestorePlanning(
                    try SnapshotBrowser(destination.repository), found, hostname: host.pipelines.identity.hostname
                ).plan(
                    request)
                show(plan, session.terminal)
                guard !dryRun else { return RestoreOutcome?.none }
                try confirm(plan, session)
                return try carryOut(plan, destination, host, session)
            }
        }
        if let outcome { try report(outcome, session) }
    }

    /// `latest` means the latest that holds what is asked for, of this host where it has one: several hosts may share a
    /// repository.
    private func choose(
        _ snapshots: [OpenRepository.Snapshot], _ scope: RestoreRequest.Scope, hostname: String
    ) throws -> OpenRepository.Snapshot {
        let name = SnapshotArgument(snapshot).name
        guard name == "latest" else { return try snapshots.named(name) }
        let fitting = snapshots.filter { snapshot in
            let tags = SnapshotTags(decoding: snapshot.record.tags)
            switch scope {
            case .application(let name): return tags?.applications.contains(name) ?? false
            case .console: return tags?.kind == .full
            case .everything: return target != nil || tags != nil
            case .path: return true
            }
        }
        guard !fitting.isEmpty else {
            let what: String
            switch scope {
            case .application(let name): what = "holds the application '\(name)'"
            case .console: what = "is a full one"
            default: what = "is there yet"
            }
            throw CommandExit(
                code: .failed, message: "No snapshot \(what); 'stillpoint snapshots' lists those there are.")
        }
        let own = fitting.filter { $0.record.hostname == hostname }
        return try (own.isEmpty ? fitting : own).named(name)
    }

    private func show(_ plan: RestorePlan, _ terminal: Terminal) {
        let text = RestorePlanText(plan)
        if terminal.isJSON {
            if dryRun { terminal.result(JSONLine.encoded(text.json)) }
        } else if dryRun {
            text.lines.map(Terminal.printable).forEach(terminal.result)
        } else {
            text.lines.map(Terminal.printable).forEach(terminal.remark)
        }
    }

    private func confirm(_ plan: RestorePlan, _ session: CommandSession) throws {
        guard !yes, plan.files == nil else { return }
        let word =
            plan.applications.count == 1 && !plan.restoresConsole
            ? plan.applications[0].name.text : plan.applications.isEmpty ? "console" : "everything"
        let question = "Type '\(word)' to replace what is there now: "
        guard let answer = try Terminal.ask(question, echo: true, session.cancellation) else {
            throw CommandExit(
                code: .usage, message: "There is no terminal to confirm the restore on; use --yes when you are sure.")
        }
        guard answer == word else {
            throw CommandExit(code: .failed, message: "'\(word)' was not typed; nothing was changed.")
        }
    }

    private func carryOut(
        _ plan: RestorePlan, _ destination: OpenDestination, _ host: Host, _ session: CommandSession
    ) throws -> RestoreOutcome {
        let view = RunView(session.terminal)
        let only = plan.applications.count == 1 ? plan.applications[0].name : nil
        let recorder = try RunRecorder(
            host.pipelines, kind: .restore, application: only, trigger: .manual, observer: { view.show($0) })
        return host.events.withHandler({ recorder.pluginEvent($0) }) {
            let outcome = RestoreRun(host.pipelines, destination.repository, plan, recorder: recorder).run {
                statistics in
                view.follow { ArchiveCounts(statistics()) }
            }
            view.end()
            return outcome
        }
    }

    private func report(_ outcome: RestoreOutcome, _ session: CommandSession) throws {
        if session.terminal.isJSON {
            session.terminal.result(
                JSONLine.encoded([
                    "message_type": "summary", "run": .string(outcome.run.id.text),
                    "state": .string(outcome.run.state.rawValue),
                    "exit_code": .integer(Int64(outcome.exitCode.rawValue)),
                    "entries": .integer(Int64(clamping: outcome.entryCount)),
                    "bytes": .integer(Int64(clamping: outcome.byteCount)),
                    "warnings": .integer(outcome.run.counters.warnings),
                    "registered": .array(outcome.registered.map { .string($0.text) }),
                ]))
        } else if [.completed, .completedWithWarnings, .partiallyFailed].contains(outcome.run.state) {
            let took = outcome.run.finished.map { $0.since(outcome.run.started) } ?? .zero
            session.terminal.result(
                "restored \(outcome.entryCount) entries, \(Units.bytes(Int64(clamping: outcome.byteCount))) in \(Units.time(took)); \(outcome.run.state.title)"
            )
        }
        for name in outcome.registered {
            session.terminal.remark("registered the application '\(name)', which this host did not know")
        }
        guard outcome.exitCode == .done else { throw CommandExit(code: outcome.exitCode, message: outcome.message) }
    }
}
