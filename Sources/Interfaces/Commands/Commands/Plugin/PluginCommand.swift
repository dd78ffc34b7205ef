import ArgumentParser
import PluginHost
import SnapshotModel

struct PluginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin", abstract: "Look at plugins.", subcommands: [PluginList.self, PluginDescribe.self])
}
