import Catalog
import ArgumentParser
import Glibc
import HostServices
import JSON
import SnapshotModel

struct ApplicationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "application", abstract: "Register and show applications.",
        subcommands: [
            ApplicationAdd.self, ApplicationList.self, ApplicationShow.self, ApplicationRemove.self,
            ApplicationValidate.self,
        ])
}

/// Reads and validates an application.yaml.
enum ManifestFile {
    /// - Throws: ``CommandExit`` with every issue on a line of its own.
    static func read(_ path: String) throws -> (text: String, path: String, manifest: ApplicationManifest) {
        let absolute = try StatePaths.absolute(path)
        guard let file = fopen(absolute, "r") else {
            throw ServiceError(.inaccessible, "\(path) cannot be read: \(String(cString: strerror(errno))).")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65536)
        while bytes.count < 1 << 20 {
            let count = fread(&part, 1, part.count, file)
            if count == 0 { break }
            bytes += part[0..<count]
        }
        guard ferror(file) == 0, bytes.count < 1 << 20 else {
            throw ServiceError(.inaccessible, "\(path) cannot be read as an application.yaml.")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandExit(code: .usage, message: "\(path) is not UTF-8.")
        }
        do { return (text, absolute, try ApplicationManifest.parse(text)) } catch {
            throw CommandExit(code: .usage, message: error.description(file: path))
        }
    }
}

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

struct ApplicationRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Forget a registered application; its snapshots and its data stay.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "Its name.") var name: String

    func run() throws {
        let session = CommandSession(options)
        try session.withHost { host in
            let name = try ApplicationName(name)
            guard try host.catalog.removeApplication(named: name) else {
                throw CommandExit(
                    code: .failed,
                    message: "No application is named '\(name)'; 'stillpoint application list' lists those there are.")
            }
            if session.terminal.isJSON {
                session.terminal.result(
                    JSONLine.encoded(["message_type": "application_removed", "name": .string(name.text)]))
            } else {
                session.terminal.result("removed application '\(name)'; its snapshots stay")
            }
        }
    }
}

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
