import ArgumentParser
import HostServices
import JSON
import Pipelines
import SnapshotModel

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
