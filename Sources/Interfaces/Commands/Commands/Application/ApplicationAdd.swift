import PluginHost
import PluginProtocol
import ArgumentParser
import Catalog
import Glibc
import HostServices
import JSON
import SnapshotModel

struct ApplicationAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Register an application, or update a registered one.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "Its application.yaml.") var file: String

    func run() throws {
        let session = CommandSession(options)
        let (text, path, manifest) = try ManifestFile.read(file)
        try session.withHost { host in
            let existed = try host.catalog.optionalApplication(named: manifest.name) != nil
            _ = try host.catalog.register(manifest.name, manifestText: text, sourcePath: path, at: Host.now())
            for volume in manifest.volumes where access(volume.path, F_OK) != 0 {
                session.terminal.warning("The volume '\(volume.name)' is not there yet: \(volume.path)")
            }
            for (kind, plugin) in manifest.hooks.map({ (PluginKind.hook, $0.plugin) })
                + manifest.dumps.map({ (.source, $0.plugin) })
            {
                do { _ = try host.locator.locate(kind, plugin) } catch {
                    session.terminal.warning("\(error)")
                }
            }
            if session.terminal.isJSON {
                session.terminal.result(
                    JSONLine.encoded([
                        "message_type": "application", "name": .string(manifest.name.text), "updated": .bool(existed),
                    ]))
            } else {
                session.terminal.result("\(existed ? "updated" : "added") application '\(manifest.name)'")
            }
        }
    }
}
