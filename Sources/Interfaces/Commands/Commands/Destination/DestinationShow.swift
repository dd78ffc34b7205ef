import ArgumentParser
import HostServices
import JSON
import PluginHost
import SnapshotModel

struct DestinationShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the destination; secrets stand as references only.")

    @OptionGroup var options: GlobalOptions

    func run() throws {
        let session = CommandSession(options)
        try session.withHost { host in
            let destination = try host.destination()
            var password = JSONValue.null
            switch destination.password {
            case .file(let path): password = .string("file \(path)")
            case .command: password = "command"
            case .none: password = .null
            }
            if session.terminal.isJSON {
                return session.terminal.result(
                    JSONLine.encoded([
                        "name": .string(destination.name), "plugin": .string(destination.plugin),
                        "config": .object(destination.config), "password": password,
                    ]))
            }
            session.terminal.result("plugin    \(destination.plugin)")
            for (name, value) in destination.config.members {
                session.terminal.result("setting   \(name) = \(value.stringValue ?? JSONLine.value(value))")
            }
            session.terminal.result("password  \(password.stringValue ?? "asked for, or from the environment")")
        }
    }
}
