import ArgumentParser
import HostServices
import JSON
import SnapshotModel

struct ApplicationValidate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check an application.yaml without registering it.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "The application.yaml.") var file: String

    func run() throws {
        let session = CommandSession(options)
        let (_, _, manifest) = try ManifestFile.read(file)
        if session.terminal.isJSON {
            session.terminal.result(JSONLine.encoded(["message_type": "valid", "name": .string(manifest.name.text)]))
        } else {
            session.terminal.result("\(file) is valid: application '\(manifest.name)'")
        }
    }
}
