import ArgumentParser
import HostServices
import JSON
import Pipelines
import Repository
import RepositoryFormat
import SnapshotModel

struct KeyPasswd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "passwd", abstract: "Change the password: replace the key in use by one for a new password.",
        discussion: """
            The new key is stored and proven to open the repository before the old one is removed; at every moment one of \
            the two passwords works. Other keys stay as they are.
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @OptionGroup var newPassword: NewPasswordOptions

    func run() throws {
        let session = CommandSession(options)
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: .exclusive, index: false) { destination in
                let old = destination.repository.keyID
                let id = try destination.repository.changePassword(
                    to: newPassword.password(session), identity: host.pipelines.identity,
                    now: Timestamp(milliseconds: Host.now().milliseconds))
                if session.terminal.isJSON {
                    return session.terminal.result(
                        JSONLine.encoded([
                            "message_type": "password_changed", "id": .string(id.hexadecimal),
                            "removed": .string(old.hexadecimal),
                        ]))
                }
                session.terminal.result("changed the password: key \(id.short) replaces \(old.short)")
                if let place = destination.destination.password.place {
                    session.terminal.remark("Commands take the password from \(place); put the new one there.")
                }
            }
        }
    }
}

extension PasswordSource {
    /// What people call the source; nil when nothing is remembered.
    fileprivate var place: String? {
        switch self {
        case .file(let path): "the file \(path)"
        case .command(let words): "the command '\(words.last ?? "")'"
        case .none: nil
        }
    }
}
