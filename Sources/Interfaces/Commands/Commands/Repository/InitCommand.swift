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
            let (destination, repository) = try settings.explained {
                try host.initialize(
                    storage: settings.storage, config: config, password: session.passwordResolver(passwords))
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
