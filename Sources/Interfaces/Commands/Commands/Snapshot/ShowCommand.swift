import ArgumentParser
import HostServices
import JSON
import Pipelines
import Repository
import SnapshotModel
import Threads

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what a snapshot holds, how it was taken, and what is missing.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Argument(help: "An id, its first digits, or 'latest'.") var snapshot: String

    func run() throws {
        let session = CommandSession(options)
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: nil, index: true) { destination in
                let found = try session.snapshot(snapshot, destination, host)
                let browser = try SnapshotBrowser(destination.repository)
                let document = try browser.document(of: found)
                let summary = SnapshotSummary(found)
                if session.terminal.isJSON {
                    var object = summary.json
                    if let document { object["document"] = .object(document.json) }
                    return session.terminal.result(JSONLine.encoded(object))
                }
                SnapshotText(summary, document).lines.map(Terminal.printable).forEach(session.terminal.result)
            }
        }
    }
}
