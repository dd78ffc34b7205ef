import ArgumentParser
import HostServices
import JSON
import Pipelines
import PluginHost
import PluginProtocol
import SnapshotModel

struct PluginList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the plugins found; a broken one is shown with the reason.")

    @OptionGroup var options: GlobalOptions

    func run() throws {
        let session = CommandSession(options)
        try session.withPlugins { plugins in
            let found = plugins.locator.discover().map { discovery -> (PluginDiscovery, PluginDescription?, String?) in
                if let problem = discovery.problem { return (discovery, nil, problem.message) }
                do {
                    let reference = try plugins.locator.locate(discovery.kind ?? .storage, discovery.executable)
                    return (
                        discovery,
                        try plugins.supervisor.describe(reference, cancellation: session.cancellation), nil
                    )
                } catch {
                    return (discovery, nil, "\(error)")
                }
            }
            if session.terminal.isJSON {
                let list = found.map { discovery, description, problem -> JSONValue in
                    var object: JSONObject = [
                        "name": .string(discovery.name), "executable": .string(discovery.executable),
                    ]
                    if let description {
                        object["version"] = .string(description.version)
                        object["kinds"] = .array(description.kinds.map { .string($0.rawValue) })
                    }
                    object["problem"] = problem.map { .string($0) }
                    return .object(object)
                }
                return session.terminal.result(JSONLine.value(.array(list)))
            }
            var table = Table(["NAME", "KINDS", "VERSION", "EXECUTABLE"])
            for (discovery, description, problem) in found {
                guard let description else {
                    table.add([discovery.name, "broken", "-", discovery.executable])
                    session.terminal.warning("\(discovery.executable): \(problem ?? "")")
                    continue
                }
                table.add([
                    discovery.name, description.kinds.map(\.rawValue).joined(separator: ","), description.version,
                    discovery.executable,
                ])
            }
            table.lines.forEach(session.terminal.result)
            if found.isEmpty {
                session.terminal.remark("no plugins in \(plugins.locator.directories.joined(separator: ", "))")
            }
        }
    }
}
