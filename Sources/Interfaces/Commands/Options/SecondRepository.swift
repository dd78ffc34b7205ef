import ArgumentParser
import HostServices
import JSON
import SnapshotModel

/// Another repository than the configured one, to read from.
struct FromRepository: ParsableArguments {
    @Option(
        name: .customLong("from"),
        help: ArgumentHelp("The storage plugin of the other repository, to read from it.", valueName: "plugin"))
    var plugin: String?

    @Option(
        name: .customLong("from-set"), parsing: .singleValue,
        help: ArgumentHelp("A setting of that plugin, as with --set of 'init'.", valueName: "key=value"))
    var settings: [String] = []

    @Option(
        name: .customLong("from-password-file"),
        help: ArgumentHelp("Read the other repository's password from a file.", valueName: "file"))
    var passwordFile: String?

    @Option(
        name: .customLong("from-password-command"),
        help: ArgumentHelp("Take it from the output of a shell command.", valueName: "command"))
    var passwordCommand: String?

    /// Nil when none was named.
    func other() throws -> OtherRepository? {
        try OtherRepository(side: "from", plugin, settings, file: passwordFile, command: passwordCommand)
    }
}

/// Another repository than the configured one, to write to.
struct ToRepository: ParsableArguments {
    @Option(
        name: .customLong("to"),
        help: ArgumentHelp("The storage plugin of the other repository, to write to it.", valueName: "plugin"))
    var plugin: String?

    @Option(
        name: .customLong("to-set"), parsing: .singleValue,
        help: ArgumentHelp("A setting of that plugin, as with --set of 'init'.", valueName: "key=value"))
    var settings: [String] = []

    @Option(
        name: .customLong("to-password-file"),
        help: ArgumentHelp("Read the other repository's password from a file.", valueName: "file"))
    var passwordFile: String?

    @Option(
        name: .customLong("to-password-command"),
        help: ArgumentHelp("Take it from the output of a shell command.", valueName: "command"))
    var passwordCommand: String?

    /// Nil when none was named.
    func other() throws -> OtherRepository? {
        try OtherRepository(side: "to", plugin, settings, file: passwordFile, command: passwordCommand)
    }
}

/// What the command line says about a second repository.
struct OtherRepository {
    /// `from` or `to`.
    let side: String
    let plugin: String
    let config: JSONObject
    private let file: String?
    private let command: String?

    init?(side: String, _ plugin: String?, _ settings: [String], file: String?, command: String?) throws {
        guard let plugin else {
            guard settings.isEmpty, file == nil, command == nil else {
                throw ValidationError("Options of --\(side) need it: --\(side) names the storage plugin.")
            }
            return nil
        }
        self.side = side
        self.plugin = plugin
        self.file = file
        self.command = command
        var parsed = ConfigSettings()
        parsed.storage = plugin
        parsed.settings = settings
        config = try parsed.config()
    }

    /// How its password is found: the options, then `STILLPOINT_FROM_PASSWORD_FILE`, `_COMMAND`,
    /// `STILLPOINT_FROM_PASSWORD`, the same of `RESTIC_`, or with `TO`, then a question. Never the variables of the
    /// configured repository.
    func passwords(_ session: CommandSession) -> PasswordResolver {
        var values: [String: String] = [:]
        for program in ["STILLPOINT", "RESTIC"] {
            for name in ["PASSWORD_FILE", "PASSWORD_COMMAND", "PASSWORD"] {
                values["\(program)_\(name)"] = session.environment["\(program)_\(side.uppercased())_\(name)"]
            }
        }
        return PasswordResolver(
            file: file, command: command, environment: Environment(values),
            prompt: { [cancellation = session.cancellation, side] question in
                try Terminal.ask("(--\(side)) " + question, echo: false, cancellation)
            })
    }
}
