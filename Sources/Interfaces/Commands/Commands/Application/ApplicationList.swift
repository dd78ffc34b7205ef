import ArgumentParser
import Catalog
import HostServices
import JSON
import SnapshotModel

struct ApplicationList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the registered applications.")

    @OptionGroup var options: GlobalOptions

    func run() throws {
        let session = CommandSession(options)
        try session.withHost { host in
            let applications = try host.catalog.applications()
            if session.terminal.isJSON {
                let list = applications.map { application -> JSONValue in
                    .object(["name": .string(application.name.text), "source": .string(application.sourcePath)])
                }
                return session.terminal.result(JSONLine.value(.array(list)))
            }
            guard !applications.isEmpty else {
                return session.terminal.remark("no applications yet; 'stillpoint application add FILE' registers one")
            }
            var table = Table(["NAME", "VERSION", "VOLUMES", "DUMPS", "HOOKS", "TITLE"])
            for application in applications {
                guard let manifest = try? ApplicationManifest.parse(application.manifestText) else {
                    table.add([application.name.text, "?", "?", "?", "?", "its manifest is not valid any more"])
                    continue
                }
                table.add([
                    manifest.name.text, manifest.version ?? "-", "\(manifest.volumes.count)", "\(manifest.dumps.count)",
                    "\(manifest.hooks.count)", manifest.title ?? "",
                ])
            }
            table.lines.forEach(session.terminal.result)
        }
    }
}
