import ArgumentParser
import HostServices
import JSON
import PluginHost
import SnapshotModel

struct DestinationSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Use another destination, whose repository exists already.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @OptionGroup var settings: ConfigSettings

    func run() throws {
        let session = CommandSession(options)
        let config = try settings.config()
        try session.withHost(creating: true) { host in
            let destination = try settings.explained {
                try host.adopt(
                    storage: settings.storage, config: config, password: session.passwordResolver(passwords))
            }
            if session.terminal.isJSON {
                session.terminal.result(
                    JSONLine.encoded(["message_type": "destination", "plugin": .string(destination.plugin)]))
            } else {
                session.terminal.result("the destination is set; its repository opens with the password")
            }
        }
    }
}
