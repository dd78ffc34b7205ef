import Threads
import Catalog
import ArgumentParser
import HostServices
import JSON
import Pipelines
import Repository
import RepositoryFormat
import SnapshotModel

struct SnapshotsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshots", abstract: "List the snapshots in the repository, those of plain restic included.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Option(name: .shortAndLong, help: ArgumentHelp("Only those that hold this application.", valueName: "name"))
    var application: String?

    func run() throws {
        let session = CommandSession(options)
        let name = try application.map { try ApplicationName($0) }
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: nil, index: false) { destination in
                let snapshots = try destination.repository.snapshots(cancellation: session.cancellation) { id, error in
                    session.terminal.warning("The snapshot \(id.short) cannot be read: \(error)")
                }
                let summaries = snapshots.map(SnapshotSummary.init)
                try host.catalog.rebuildSnapshots(in: Host.destinationName, from: summaries)
                show(
                    summaries.filter { name == nil || $0.applications.contains(where: { $0 == name }) },
                    session.terminal)
            }
        }
    }

    private func show(_ snapshots: [SnapshotSummary], _ terminal: Terminal) {
        if terminal.isJSON { return terminal.result(JSONLine.value(.array(snapshots.map { .object($0.json) }))) }
        guard !snapshots.isEmpty else { return terminal.remark("no snapshots yet; 'stillpoint backup' takes one") }
        var table = Table(["ID", "TIME", "KIND", "APPLICATIONS", "CONSISTENCY", "SIZE", "HOST", "TAGS"])
        for snapshot in snapshots {
            let applications =
                snapshot.meaning == nil
                ? snapshot.paths.joined(separator: " ") : snapshot.applications.map(\.text).joined(separator: " ")
            table.add([
                snapshot.shortID, Units.moment(snapshot.time), snapshot.kind?.rawValue ?? "restic", applications,
                snapshot.consistency?.rawValue ?? "-", snapshot.byteCount.map(Units.bytes) ?? "-", snapshot.host,
                (snapshot.meaning?.others ?? snapshot.tags).joined(separator: " "),
            ])
        }
        table.lines.map(Terminal.printable).forEach(terminal.result)
        terminal.remark("\(snapshots.count) snapshot\(snapshots.count == 1 ? "" : "s")")
    }
}

extension SnapshotSummary {
    /// What `--json` prints.
    var json: JSONObject {
        var object: JSONObject = [
            "id": .string(id), "short_id": .string(shortID), "time": .string(time.description), "tree": .string(tree),
            "host": .string(host), "paths": .array(paths.map { .string($0) }), "tags": .array(tags.map { .string($0) }),
        ]
        object["kind"] = kind.map { .string($0.rawValue) }
        if meaning != nil { object["applications"] = .array(applications.map { .string($0.text) }) }
        object["consistency"] = consistency.map { .string($0.rawValue) }
        object["bytes"] = byteCount.map { .integer($0) }
        return object
    }
}

/// `SNAPSHOT` or `SNAPSHOT:PATH` on the command line.
struct SnapshotArgument {
    let name: String
    let path: String?

    init(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else {
            (name, path) = (text, nil)
            return
        }
        name = String(text[..<colon])
        path = String(text[text.index(after: colon)...])
    }
}

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what a snapshot holds, how it was taken, and what is missing.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Argument(help: "An id, its first digits, or 'latest'.") var snapshot: String

    func run() throws {
        let session = CommandSession(options)
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: nil, index: true) { destination in
                let found = try destination.repository.snapshots(cancellation: session.cancellation) { _, _ in }.named(
                    snapshot)
                let browser = try SnapshotBrowser(destination.repository)
                let document = try browser.document(of: found)
                let summary = SnapshotSummary(found)
                if session.terminal.isJSON {
                    var object = summary.json
                    if let document { object["document"] = .object(document.json) }
                    return session.terminal.result(JSONLine.encoded(object))
                }
                SnapshotText(summary, document).lines.map(Terminal.printable).forEach(session.terminal.result)
            }
        }
    }
}

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List the entries of a snapshot, or of a directory in it.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Argument(help: ArgumentHelp("SNAPSHOT or SNAPSHOT:PATH.", valueName: "snapshot[:path]")) var snapshot: String
    @Flag(name: .shortAndLong, help: "With everything below.") var recursive = false
    @Flag(name: .shortAndLong, help: "With modes, owners, sizes and times.") var long = false

    func run() throws {
        let session = CommandSession(options)
        let argument = SnapshotArgument(snapshot)
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: nil, index: true) { destination in
                let found = try destination.repository.snapshots(cancellation: session.cancellation) { _, _ in }.named(
                    argument.name)
                let browser = try SnapshotBrowser(destination.repository)
                let path = (argument.path ?? "").split(separator: "/").joined(separator: "/")
                if path.isEmpty {
                    try list(try browser.root(of: found), "", browser, session)
                } else {
                    guard let node = try browser.node(at: path, in: found) else {
                        throw RepositoryError.noPath(path, in: found.id)
                    }
                    if node.kind == .dir {
                        try list(try browser.entries(of: node), "/" + path, browser, session)
                    } else {
                        show(node, "/" + path, session.terminal)
                    }
                }
            }
        }
    }

    private func list(_ nodes: [TreeNode], _ path: String, _ browser: SnapshotBrowser, _ session: CommandSession) throws
    {
        try session.cancellation.check()
        for node in nodes {
            let childPath = path + "/" + node.displayName
            show(node, childPath, session.terminal)
            if recursive, node.kind == .dir { try list(try browser.entries(of: node), childPath, browser, session) }
        }
    }

    private func show(_ node: TreeNode, _ path: String, _ terminal: Terminal) {
        if terminal.isJSON {
            return terminal.result(
                JSONLine.encoded([
                    "path": .string(path), "type": .string(node.kind.rawValue),
                    "mode": .string(String(GoFileMode.permissions(node.mode), radix: 8)),
                    "uid": .integer(Int64(node.uid)),
                    "gid": .integer(Int64(node.gid)), "size": .integer(Int64(clamping: node.size)),
                    "mtime": .string(node.modified.text),
                ]))
        }
        guard long else { return terminal.result(Terminal.printable(path + (node.kind == .dir ? "/" : ""))) }
        let target = node.kind == .symlink ? " -> " + String(decoding: node.linkTarget, as: UTF8.self) : ""
        let owner = "\(node.uid):\(node.gid)"
        let mode = String(GoFileMode.permissions(node.mode), radix: 8)
        let time = node.modified.text.prefix(19)
        terminal.result(
            Terminal.printable(
                "\(node.kind.rawValue.prefix(4))  \(mode)  \(owner)  \(node.size)  \(time)  \(path)\(target)"))
    }
}

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
