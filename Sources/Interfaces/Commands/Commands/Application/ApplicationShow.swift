import ArgumentParser
import Catalog
import HostServices
import JSON
import SnapshotModel

struct ApplicationShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print the manifest of a registered application.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "Its name.") var name: String

    func run() throws {
        let session = CommandSession(options)
        try session.withHost { host in
            let application = try host.catalog.application(named: ApplicationName(name))
            if session.terminal.isJSON {
                return session.terminal.result(
                    JSONLine.encoded([
                        "name": .string(application.name.text), "source": .string(application.sourcePath),
                        "manifest": .string(application.manifestText),
                        "registered": .string(application.registered.description),
                        "updated": .string(application.updated.description),
                    ]))
            }
            session.terminal.remark("registered \(Units.moment(application.registered)) from \(application.sourcePath)")
            session.terminal.result(
                application.manifestText.hasSuffix("\n")
                    ? String(application.manifestText.dropLast()) : application.manifestText)
        }
    }
}
