import ArgumentParser
import SnapshotModel

struct DestinationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destination", abstract: "Show, test and change where snapshots go.",
        subcommands: [DestinationShow.self, DestinationTest.self, DestinationSet.self])
}
