import Catalog
import RepositoryFormat
import ArgumentParser
import HostServices
import JSON
import SnapshotModel

/// `KEY=VALUE` on the command line: the configuration of a plugin.
struct ConfigSettings: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("The storage plugin: its name, or the absolute path of its executable.", valueName: "plugin")
    )
    var storage: String = "filesystem"

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp(
            "A setting of the plugin; KEY:=JSON for numbers, truth values and secrets.", valueName: "key=value"))
    var settings: [String] = []

    /// The settings as an object.
    func config() throws -> JSONObject {
        var object = JSONObject()
        for setting in settings {
            guard let equals = setting.firstIndex(of: "="), equals != setting.startIndex else {
                throw ValidationError("'--set \(setting)' has no KEY=VALUE.")
            }
            var key = String(setting[..<equals])
            let text = String(setting[setting.index(after: equals)...])
            if key.hasSuffix(":") {
                key.removeLast()
                guard let value = (try? JSONValue.parse("[\(text)]"))?.arrayValue?.first else {
                    throw ValidationError("The value of '\(key)' is no JSON: '\(text)'.")
                }
                object[key] = value
            } else {
                // Paths are meant from where the command is given.
                object[key] = .string(key == "path" ? try StatePaths.absolute(text) : text)
            }
        }
        return object
    }
}

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Set up the state directory and a repository in a destination.",
        discussion:
            "Example: stillpoint init --storage filesystem --set path=/srv/backup --password-file /root/password")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @OptionGroup var settings: ConfigSettings

    func run() throws {
        let session = CommandSession(options)
        let config = try settings.config()
        try session.withHost(creating: true) { host in
            if let existing = try host.catalog.destinations().first {
                throw ServiceError(
                    .badValue,
                    "There is a destination already (plugin '\(existing.plugin)'); 'stillpoint destination set' changes it."
                )
            }
            let (destination, repository) = try host.initialize(
                storage: settings.storage, config: config, password: session.passwordResolver(passwords))
            if session.terminal.isJSON {
                session.terminal.result(
                    JSONLine.encoded([
                        "message_type": "initialized", "id": .string(repository.id), "state": .string(host.paths.root),
                        "plugin": .string(destination.plugin),
                    ]))
            } else {
                session.terminal.result(
                    "made repository \(repository.id.prefix(10)) through plugin '\(destination.plugin)'; state is in \(host.paths.root)"
                )
                session.terminal.remark(
                    "Keep the password: without it nobody can read the repository, and nobody can reset it.")
            }
        }
    }
}
