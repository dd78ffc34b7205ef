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
    @OptionGroup var newPassword: NewPasswordOptions

    func run() throws {
        let session = CommandSession(options)
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: .shared, index: false) { destination in
                let id = try destination.repository.addKey(
                    password: newPassword.password(session), identity: host.pipelines.identity,
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
