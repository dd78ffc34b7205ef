import Catalog
import ArgumentParser
import HostServices
import JSON
import Pipelines
import SnapshotModel

struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "List past runs and those under way.")

    @OptionGroup var options: GlobalOptions
    @Option(name: .long, help: "How many at most.") var limit = 20

    func run() throws {
        let session = CommandSession(options)
        try session.withHost { host in
            let runs = try host.recentRuns(limit: limit)
            if session.terminal.isJSON {
                return session.terminal.result(JSONLine.value(.array(runs.map { .object($0.json) })))
            }
            guard !runs.isEmpty else { return session.terminal.remark("no runs yet") }
            var table = Table(["RUN", "STARTED", "KIND", "APPLICATION", "STATE", "TOOK", "EXIT", "SNAPSHOT"])
            for run in runs {
                table.add([
                    run.id.text, Units.moment(run.started), run.kind.rawValue, run.application?.text ?? "-",
                    run.state.title,
                    run.finished.map { Units.time($0.since(run.started)) } ?? "-",
                    run.exitCode.map { "\($0.rawValue)" } ?? "-",
                    run.snapshot.map { String($0.prefix(8)) } ?? "-",
                ])
            }
            table.lines.forEach(session.terminal.result)
        }
    }
}

extension Run {
    /// What `--json` prints.
    var json: JSONObject {
        var object: JSONObject = [
            "id": .string(id.text), "kind": .string(kind.rawValue), "trigger": .string(trigger.rawValue),
            "state": .string(state.rawValue), "started": .string(started.description),
        ]
        object["application"] = application.map { .string($0.text) }
        object["finished"] = finished.map { .string($0.description) }
        object["snapshot"] = snapshot.map { .string($0) }
        object["exit_code"] = exitCode.map { .integer(Int64($0.rawValue)) }
        object["message"] = message.map { .string($0) }
        object["files"] = .integer(counters.files)
        object["bytes"] = .integer(counters.bytes)
        object["warnings"] = .integer(counters.warnings)
        return object
    }
}

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Look at a run.", subcommands: [RunShow.self])
}

struct RunShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print what happened in a run, from its journal.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "Its id, or the first characters of it.") var id: String
    @Option(name: .long, help: "From this sequence number on.") var since: Int64 = 1

    func run() throws {
        let session = CommandSession(options)
        try session.withHost { host in
            let run = try host.catalog.run(named: id)
            let contents = try host.journals.read(run.id, from: since)
            for entry in contents.entries {
                if session.terminal.isJSON {
                    session.terminal.result(JSONLine.encoded(entry.json))
                } else {
                    session.terminal.result(
                        Terminal.printable("\(Units.moment(entry.time))  \(EventText.line(entry.event))"))
                }
            }
        }
    }
}

struct ThawCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "thaw", abstract: "Release every application that a dead run may have left held.",
        discussion:
            "Every other command does this first, too. Safe at any time; runs that are under way are left alone.")

    @OptionGroup var options: GlobalOptions
    @Flag(name: .long, help: "Read every journal, not only those marked as holding.") var all = false

    func run() throws {
        let session = CommandSession(options)
        try session.withHost(replay: false) { host in
            let report = try host.thaw(everyJournal: all)
            if session.terminal.isJSON {
                session.terminal.result(
                    JSONLine.encoded([
                        "message_type": "thaw", "released": .integer(Int64(report.released)),
                        "unconfirmed": .array(report.problems.map { .string($0) }),
                    ]))
            } else {
                report.lines.forEach(session.terminal.result)
                if report.lines.isEmpty { session.terminal.result("nothing was held") }
            }
            if !report.problems.isEmpty {
                throw CommandExit(code: .releaseNotConfirmed, message: report.problems.joined(separator: "\n"))
            }
        }
    }
}
