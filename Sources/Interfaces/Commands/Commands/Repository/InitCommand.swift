import RepositoryFormat
import ArgumentParser
import Catalog
import HostServices
import JSON
import SnapshotModel

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Set up the state directory and a repository in a destination.",
        discussion:
            "Example: stillpoint init --storage filesystem --set path=/srv/backup --password-file /etc/stillpoint.password"
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @OptionGroup var settings: ConfigSettings
    @OptionGroup var from: FromRepository
    @Flag(
        name: .customLong("copy-chunker-params"),
        help: "Cut files as the repository of --from does, so that copies from there and backups share their data.")
    var copyChunker = false

    func run() throws {
        let session = CommandSession(options)
        let config = try settings.config()
        let model = try from.other()
        guard (model != nil) == copyChunker else {
            throw ValidationError("--copy-chunker-params and --from PLUGIN go together.")
        }
        try session.withHost(creating: true) { host in
            if let existing = try host.catalog.destinations().first {
                throw ServiceError(
                    .badValue,
                    "There is a destination already (plugin '\(existing.plugin)'); 'stillpoint destination set' changes it."
                )
            }
            let opened = try model.map {
                try host.openOther(storage: $0.plugin, config: $0.config, password: $0.passwords(session))
            }
            defer { opened?.close() }
            let (destination, repository) = try settings.explained {
                try host.initialize(
                    storage: settings.storage, config: config, password: session.passwordResolver(passwords),
                    like: opened?.repository)
            }
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
