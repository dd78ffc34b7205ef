import ArgumentParser
import HostServices
import JSON
import Pipelines
import Repository
import RepositoryFormat
import SnapshotModel

struct KeyAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a password that opens the repository, too.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Option(
        name: .customLong("new-password-file"),
        help: ArgumentHelp("Read the new password from a file.", valueName: "file")) var newPasswordFile: String?

    func run() throws {
        let session = CommandSession(options)
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: .shared, index: false) { destination in
                let resolver = PasswordResolver(
                    file: newPasswordFile, command: nil, environment: Environment([:]),
                    prompt: { try Terminal.ask("new " + $0, echo: false, session.cancellation) })
                let id = try destination.repository.addKey(
                    password: resolver.password(confirming: true), identity: host.pipelines.identity,
                    now: Timestamp(milliseconds: Host.now().milliseconds))
                if session.terminal.isJSON {
                    session.terminal.result(
                        JSONLine.encoded(["message_type": "key_added", "id": .string(id.hexadecimal)]))
                } else {
                    session.terminal.result("added key \(id.short)")
                }
            }
        }
    }
}
