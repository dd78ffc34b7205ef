import ArgumentParser
import SnapshotModel

struct ApplicationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "application", abstract: "Register and show applications.",
        subcommands: [
            ApplicationAdd.self, ApplicationList.self, ApplicationShow.self, ApplicationRemove.self,
            ApplicationValidate.self,
        ])
}
