import ArgumentParser
import SnapshotModel

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Look at a run.", subcommands: [RunShow.self])
}
