import ArgumentParser
import SnapshotModel

/// What all repairs ask for.
struct RepairOptions: ParsableArguments {
    @Flag(name: [.customShort("n"), .customLong("dry-run")], help: "Show what would be done and change nothing.")
    var dryRun = false

    /// Asks for a word before something is removed.
    ///
    /// - Throws: `CommandExit` when it was not typed, or when there is no terminal to ask on.
    static func confirm(_ word: String, to purpose: String, yes: Bool, _ session: CommandSession) throws {
        guard !yes else { return }
        guard let answer = try Terminal.ask("Type '\(word)' to \(purpose): ", echo: true, session.cancellation) else {
            throw CommandExit(
                code: .usage, message: "There is no terminal to confirm the repair on; use --yes when you are sure.")
        }
        guard answer == word else {
            throw CommandExit(code: .failed, message: "'\(word)' was not typed; nothing was changed.")
        }
    }
}
