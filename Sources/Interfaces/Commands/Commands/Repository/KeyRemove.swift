import ArgumentParser
import HostServices
import JSON
import Repository
import RepositoryFormat
import SnapshotModel

struct KeyRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a key, so that its password opens nothing any more.",
        discussion: """
            The key in use is never removed, and so never the last one. Who knows a removed password and has kept a copy \
            of its key file can still read the repository: the data is not encrypted anew.
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Argument(help: "Its id, or the first digits, as 'stillpoint key list' shows them.") var key: String

    func run() throws {
        let session = CommandSession(options)
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: .exclusive, index: false) { destination in
                let id = try destination.repository.removeKey(named: key)
                if session.terminal.isJSON {
                    session.terminal.result(
                        JSONLine.encoded(["message_type": "key_removed", "id": .string(id.hexadecimal)]))
                } else {
                    session.terminal.result("removed key \(id.short)")
                }
            }
        }
    }
}
