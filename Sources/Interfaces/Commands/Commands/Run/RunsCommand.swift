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

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit must be 1 or more, it is \(limit).") }
    }

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
