import Archiving
import ArgumentParser
import Catalog
import HostServices
import JSON
import Pipelines
import RepositoryFormat
import SnapshotModel

struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Take a snapshot: of everything, or of one application.",
        discussion: """
            Without --application a full snapshot: the console's own state and all applications, good for disaster \
            recovery. With it a partial one, good for rollback. Ends with 3 when something was left out.
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Option(name: .shortAndLong, help: ArgumentHelp("Only this application.", valueName: "name")) var application:
        String?
    @Option(
        name: .long, parsing: .singleValue, help: ArgumentHelp("A tag of your own; may be repeated.", valueName: "tag"))
    var tag: [String] = []
    @Flag(
        name: [.customShort("n"), .customLong("dry-run")],
        help: "Check and show what would be captured; freeze and store nothing.") var dryRun = false
    @Flag(name: .long, help: "Read every file, also those that look unchanged.") var force = false
    @Flag(name: .customLong("ignore-inode"), help: "Take files for unchanged although their inodes are others.")
    var ignoreInode = false
    @Flag(
        name: .customLong("ignore-ctime"), help: "Take files for unchanged although their times of change are others.")
    var ignoreChangeTime = false
    @Flag(name: .long, help: "Wait for the end; commands without a daemon always do.") var wait = false

    func run() throws {
        let session = CommandSession(options)
        let name = try application.map { try ApplicationName($0) }
        for tag in tag { try SnapshotTags.validate(userTag: tag) }
        let outcome = try session.withHost { host -> SnapshotOutcome? in
            if dryRun {
                try self.showPlan(host, session, name)
                return nil
            }
            if let name { _ = try host.catalog.application(named: name) }
            return try session.withRepository(host, passwords, lock: .shared, index: true) { destination in
                let request = SnapshotRequest(
                    application: name, tags: tag,
                    detection: .init(
                        readsEverything: force, ignoresInode: ignoreInode, ignoresChangeTime: ignoreChangeTime))
                let scan = try self.treeScan(host, session, name)
                defer { scan?.end() }
                let view = RunView(session.terminal)
                let recorder = try RunRecorder(
                    host.pipelines, kind: RunKind(snapshot: request.kind), application: name, trigger: .manual,
                    observer: { view.show($0) })
                return host.events.withHandler({ recorder.pluginEvent($0) }) {
                    let run = SnapshotRun(host.pipelines, destination.repository, request, recorder: recorder)
                    let outcome = run.run { statistics in
                        view.follow { ArchiveCounts(statistics(), totalBytes: scan?.total?.bytes) }
                    }
                    view.end()
                    return outcome
                }
            }
        }
        if let outcome { try report(outcome, session) }
    }

    /// Only for somebody who watches.
    private func treeScan(_ host: Host, _ session: CommandSession, _ name: ApplicationName?) throws -> TreeScan? {
        guard session.terminal.isInteractive else { return nil }
        let applications = try host.catalog.applications().filter { name == nil || $0.name == name }
        let manifests = applications.compactMap { try? ApplicationManifest.parse($0.manifestText) }
        return TreeScan(
            manifests.flatMap { $0.volumes.map { TreeScan.Source(path: $0.path, options: $0.archiveOptions) } })
    }

    private func showPlan(_ host: Host, _ session: CommandSession, _ name: ApplicationName?) throws {
        let plans = try SnapshotPreview(host.pipelines).applications(only: name)
        if session.terminal.isJSON {
            session.terminal.result(JSONLine.value(.array(plans.map { .object($0.json) })))
        } else {
            session.terminal.result(
                name == nil
                    ? "full snapshot: console and \(plans.count) application\(plans.count == 1 ? "" : "s")"
                    : "partial snapshot")
            for plan in plans { plan.lines.map(Terminal.printable).forEach(session.terminal.result) }
        }
        if let problem = plans.first(where: { $0.problem != nil })?.problem {
            throw CommandExit(code: .failed, message: problem)
        }
    }

    private func report(_ outcome: SnapshotOutcome, _ session: CommandSession) throws {
        if session.terminal.isJSON {
            var object: JSONObject = [
                "message_type": "summary", "run": .string(outcome.run.id.text),
                "state": .string(outcome.run.state.rawValue),
                "exit_code": .integer(Int64(outcome.exitCode.rawValue)),
            ]
            object["snapshot"] = outcome.snapshot.map { .string($0.hexadecimal) }
            object["files"] = .integer(outcome.run.counters.files)
            object["bytes"] = .integer(outcome.run.counters.bytes)
            object["bytes_added"] = .integer(Int64(clamping: outcome.addedByteCount))
            object["bytes_stored"] = .integer(Int64(clamping: outcome.packedByteCount))
            object["warnings"] = .integer(outcome.run.counters.warnings)
            if let document = outcome.document { object["document"] = .object(document.json) }
            session.terminal.result(JSONLine.encoded(object))
        } else if let snapshot = outcome.snapshot, let document = outcome.document {
            for application in document.applications {
                let held = application.held.map { ", held still for \(Units.time($0))" } ?? ""
                session.terminal.result("\(application.name): \(application.consistency.rawValue) consistency\(held)")
            }
            let took = outcome.run.finished.map { $0.since(outcome.run.started) } ?? .zero
            session.terminal.result(
                "\(outcome.run.counters.files) files, \(Units.bytes(outcome.run.counters.bytes)) in \(Units.time(took)); "
                    + "added \(Units.bytes(Int64(clamping: outcome.addedByteCount))), \(Units.bytes(Int64(clamping: outcome.packedByteCount))) stored"
            )
            session.terminal.result("snapshot \(snapshot.short) \(outcome.run.state.title)")
        }
        guard outcome.exitCode == .done else { throw CommandExit(code: outcome.exitCode, message: outcome.message) }
    }
}
