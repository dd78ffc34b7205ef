import ArgumentParser
import SnapshotModel

/// What people read who typed something that is no command.
enum UsageText {
    /// The names of the commands at the top.
    static var commandNames: [String] {
        Stillpoint.configuration.subcommands.compactMap { $0.configuration.commandName }
    }

    /// A sentence for a first word that names no command; nil when it does, or when there is none.
    ///
    /// - Parameter arguments: in normal order, see ``ArgumentOrder``.
    static func unknownCommand(_ arguments: [String]) -> String? {
        guard let first = arguments.first, !first.hasPrefix("-"), first != "help", !commandNames.contains(first) else {
            return nil
        }
        let guess = Suggestion.nearest(to: first, among: commandNames).map { "did you mean '\($0)'? " } ?? ""
        return "There is no command '\(first)'; \(guess)'stillpoint --help' lists those there are."
    }

    /// The parser's text in the words of this program.
    static func text(_ message: String) -> String {
        message.hasPrefix("Error: ") ? "error: " + message.dropFirst("Error: ".count) : message
    }
}
