import ArgumentParser
import Catalog
import HostServices
import JSON
import SnapshotModel

struct ApplicationRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Forget a registered application; its snapshots and its data stay.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "Its name.") var name: String

    func run() throws {
        let session = CommandSession(options)
        try session.withHost { host in
            let name = try ApplicationName(name)
            guard try host.catalog.removeApplication(named: name) else {
                throw CommandExit(
                    code: .failed,
                    message: "No application is named '\(name)'; 'stillpoint application list' lists those there are.")
            }
            if session.terminal.isJSON {
                session.terminal.result(
                    JSONLine.encoded(["message_type": "application_removed", "name": .string(name.text)]))
            } else {
                session.terminal.result("removed application '\(name)'; its snapshots stay")
            }
        }
    }
}
