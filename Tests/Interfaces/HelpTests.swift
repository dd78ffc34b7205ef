import ArgumentParser
import TestSupport
import Testing

@testable import Commands

/// The texts are read in review; `STILLPOINT_RECORD_GOLDEN=1` writes them anew.
@Suite struct HelpTests {
    static let commands: [any ParsableCommand.Type] = all(below: Stillpoint.self)

    private static func all(below command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
        [command] + command.configuration.subcommands.flatMap { all(below: $0) }
    }

    @Test(arguments: commands.indices)
    func `the help of each command is what was reviewed`(index: Int) throws {
        let command = Self.commands[index]
        let text = Stillpoint.helpMessage(for: command, columns: 100) + "\n"
        #expect(text == (try GoldenFile.text("\(command).txt", actual: text)))
    }

    @Test(arguments: commands.indices)
    func `each command has a name of one word and an abstract that is a sentence`(index: Int) {
        let configuration = Self.commands[index].configuration
        #expect(configuration.commandName?.allSatisfy { $0.isLowercase && $0.isLetter } == true)
        #expect(configuration.abstract.hasSuffix(".") && configuration.abstract.first?.isUppercase == true)
    }
}
