import PluginHost
import ArgumentParser
import HostServices
import JSON
import ObjectStorage
import Pipelines
import SnapshotModel

struct DestinationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destination", abstract: "Show, test and change where snapshots go.",
        subcommands: [DestinationShow.self, DestinationTest.self, DestinationSet.self])
}

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

struct DestinationTest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Write, read, list and delete an object in the destination, for real.")

    @OptionGroup var options: GlobalOptions

    func run() throws {
        let session = CommandSession(options)
        try session.withHost { host in
            let destination = try host.destination()
            let plugin = try host.openStorage(destination)
            defer { plugin.close() }
            try plugin.check()
            try StoreProbe(PluginObjectStore(plugin)).run()
            if session.terminal.isJSON {
                session.terminal.result(
                    JSONLine.encoded(["message_type": "destination_ok", "plugin": .string(destination.plugin)]))
            } else {
                session.terminal.result("the destination works: an object was written, read, listed and deleted")
            }
        }
    }
}

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
            let destination = try host.adopt(
                storage: settings.storage, config: config, password: session.passwordResolver(passwords))
            if session.terminal.isJSON {
                session.terminal.result(
                    JSONLine.encoded(["message_type": "destination", "plugin": .string(destination.plugin)]))
            } else {
                session.terminal.result("the destination is set; its repository opens with the password")
            }
        }
    }
}
