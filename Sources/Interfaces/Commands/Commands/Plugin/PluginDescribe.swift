import ArgumentParser
import HostServices
import JSON
import Pipelines
import PluginHost
import PluginProtocol
import SnapshotModel

struct PluginDescribe: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe", abstract: "Print what a plugin says about itself, with its configuration's schema.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "Its name, or the absolute path of its executable.") var plugin: String
    @Option(
        name: .long,
        help: ArgumentHelp("storage, hook or source, where one name stands for several.", valueName: "kind")) var kind:
        String?

    func run() throws {
        let session = CommandSession(options)
        let kinds: [PluginKind]
        if let kind {
            guard let chosen = PluginKind(rawValue: kind) else {
                throw ValidationError("'\(kind)' is no kind; use storage, hook or source.")
            }
            kinds = [chosen]
        } else {
            kinds = [.storage, .hook, .source]
        }
        try session.withPlugins { plugins in
            var failure: (any Error)?
            for kind in kinds {
                do {
                    let reference = try plugins.locator.locate(kind, plugin)
                    let description = try plugins.supervisor.describe(
                        reference, cancellation: session.cancellation)
                    return session.terminal.result(JSONLine.encoded(description.encoded))
                } catch {
                    // Of several kinds the first that is found counts; of several failures the one that is not "not found".
                    if let known = failure as? PluginHostError, known.code != .notFound { continue }
                    failure = error
                }
            }
            if let failure {
                guard (failure as? PluginHostError)?.code == .notFound, kinds.count > 1 else { throw failure }
                throw CommandExit(
                    code: .failed,
                    message: "There is no plugin '\(plugin)'; 'stillpoint plugin list' shows those there are, and "
                        + "STILLPOINT_PLUGIN_PATH names more directories.")
            }
        }
    }
}
