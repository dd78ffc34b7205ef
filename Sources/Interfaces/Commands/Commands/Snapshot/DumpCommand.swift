import ArgumentParser
import HostServices
import Pipelines
import Repository
import RepositoryFormat
import SnapshotModel
import Threads

struct DumpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump", abstract: "Write the content of a file in a snapshot to standard output.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Argument(help: ArgumentHelp("SNAPSHOT:PATH of a file.", valueName: "snapshot:path")) var snapshot: String

    func run() throws {
        let session = CommandSession(options)
        let argument = SnapshotArgument(snapshot)
        guard let path = argument.path, !path.isEmpty else {
            throw ValidationError("Name the file as SNAPSHOT:PATH, e.g. latest:/snapshot.json.")
        }
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: nil, index: true) { destination in
                let found = try destination.repository.snapshots(cancellation: session.cancellation) { _, _ in }.named(
                    argument.name)
                let browser = try SnapshotBrowser(destination.repository)
                guard let node = try browser.node(at: path, in: found) else {
                    throw RepositoryError.noPath(path, in: found.id)
                }
                guard node.kind == .file else {
                    throw CommandExit(code: .usage, message: "\(path) is no file; 'stillpoint ls' shows what is in it.")
                }
                try browser.forEachPart(of: node, cancellation: session.cancellation) {
                    session.terminal.result(bytes: $0)
                }
            }
        }
    }
}
