import ArgumentParser
import HostServices
import SnapshotModel

/// Where a new password comes from; a question on the terminal, asked twice, when nothing is named.
struct NewPasswordOptions: ParsableArguments {
    @Option(
        name: .customLong("new-password-file"),
        help: ArgumentHelp("Read the new password from a file.", valueName: "file"))
    var newPasswordFile: String?

    @Option(
        name: .customLong("new-password-command"),
        help: ArgumentHelp("Take the new password from the output of a shell command.", valueName: "command"))
    var newPasswordCommand: String?

    func validate() throws {
        if newPasswordFile != nil, newPasswordCommand != nil {
            throw ValidationError("Choose one of --new-password-file and --new-password-command.")
        }
    }

    /// The new password's bytes.
    func password(_ session: CommandSession) throws -> [UInt8] {
        let resolver = PasswordResolver(
            file: newPasswordFile, command: newPasswordCommand, environment: Environment([:]),
            prompt: { try Terminal.ask("new " + $0, echo: false, session.cancellation) })
        do {
            return try resolver.password(confirming: true)
        } catch let error as ServiceError where error.code == .notSetUp && newPasswordCommand == nil {
            throw CommandExit(
                code: .usage,
                message: "There is no terminal to ask for the new password on; use --new-password-file FILE or "
                    + "--new-password-command COMMAND.")
        }
    }
}
