import Archiving
import ArgumentParser
import HostServices
import Pipelines
import Repository
import RepositoryFormat
import SnapshotModel
import Threads

struct DumpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump", abstract: "Write a file of a snapshot, or a directory as a tar archive.",
        discussion: """
            A directory becomes an archive in the pax format with names relative to it; GNU tar restores owners, times, \
            links and devices from it, and with --xattrs --xattrs-include='*' --acls extended attributes and access \
            control lists, too.

            Examples: stillpoint dump latest:/snapshot.json, \
            stillpoint dump latest:/applications/tracker/volumes/uploads | tar -x -C /srv/copy
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Argument(
        help: ArgumentHelp(
            "SNAPSHOT:PATH of a file or directory; SNAPSHOT alone means everything.", valueName: "snapshot[:path]"))
    var snapshot: String
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Write to this file, which appears when it is complete; for its owner only.", valueName: "file"))
    var output: String?

    func run() throws {
        let session = CommandSession(options)
        let argument = SnapshotArgument(snapshot)
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: nil, index: true) { destination in
                let found = try session.snapshot(argument.name, destination, host)
                let browser = try SnapshotBrowser(destination.repository)
                let path = argument.normalizedPath
                guard !path.isEmpty else { return try dump(found.record.tree, path, destination, session) }
                guard let node = try browser.node(at: path, in: found) else {
                    throw RepositoryError.noPath(path, in: found.id)
                }
                if node.kind == .dir, let subtree = node.subtree {
                    return try dump(subtree, path, destination, session)
                }
                guard node.kind == .file else {
                    throw CommandExit(
                        code: .usage, message: "\(path) is neither a file nor a directory; 'stillpoint ls' shows it.")
                }
                try write(destination, session) { try $0.writeFile(node, path: Array(path.utf8), to: $1.write) }
            }
        }
    }

    private func dump(_ tree: ObjectID, _ path: String, _ destination: OpenDestination, _ session: CommandSession)
        throws
    {
        try write(destination, session) { export, output in
            guard !output.isTerminal else {
                throw CommandExit(
                    code: .usage, message: "A tar archive is nothing for a terminal; use --output FILE, or a pipe.")
            }
            let terminal = session.terminal
            try export.writeTar(
                tree: tree, path: Array(path.utf8), skipped: { terminal.warning("\($0): \($1)") }, to: output.write)
        }
    }

    private func write(
        _ destination: OpenDestination, _ session: CommandSession, _ body: (SnapshotExport, ByteOutput) throws -> Void
    ) throws {
        let output = try ByteOutput(path: output)
        do {
            try body(SnapshotExport(destination.repository, cancellation: session.cancellation), output)
            try output.commit()
        } catch {
            output.abandon()
            throw error
        }
    }
}
