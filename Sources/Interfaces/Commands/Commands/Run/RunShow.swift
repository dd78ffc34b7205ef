import ArgumentParser
import Catalog
import HostServices
import JSON
import Pipelines
import SnapshotModel

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
