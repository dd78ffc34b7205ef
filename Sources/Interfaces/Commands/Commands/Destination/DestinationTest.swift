import ArgumentParser
import HostServices
import JSON
import Pipelines
import PluginHost
import SnapshotModel

struct DestinationTest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Write, read, list and delete an object in the destination, for real.")

    @OptionGroup var options: GlobalOptions

    func run() throws {
        let session = CommandSession(options)
        try session.withHost { host in
            let destination = try host.destination()
            try host.test(destination)
            if session.terminal.isJSON {
                session.terminal.result(
                    JSONLine.encoded(["message_type": "destination_ok", "plugin": .string(destination.plugin)]))
            } else {
                session.terminal.result("the destination works: an object was written, read, listed and deleted")
            }
        }
    }
}
