import ArgumentParser
import HostServices
import JSON
import Maintenance
import Pipelines
import Repository
import RepositoryFormat
import SnapshotModel
import Threads

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List the entries of a snapshot, or of a directory in it.",
        discussion: "Example, the largest files: stillpoint ls latest --recursive --long --sort size --reverse")

    /// In which order entries are shown.
    enum Order: String, ExpressibleByArgument, CaseIterable {
        case name, size, time, `extension`
    }

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Argument(help: ArgumentHelp("SNAPSHOT or SNAPSHOT:PATH.", valueName: "snapshot[:path]")) var snapshot: String
    @Flag(name: .shortAndLong, help: "With everything below.") var recursive = false
    @Flag(name: .shortAndLong, help: "With modes, owners, sizes and times.") var long = false
    @Flag(name: .customLong("human-readable"), help: "Sizes with units instead of bytes, with --long.")
    var humanReadable = false
    @Option(
        name: .long, help: ArgumentHelp("name (as in the tree), size, time or extension.", valueName: "order"))
    var sort: Order = .name
    @Flag(name: .long, help: "In the opposite order.") var reverse = false

    func run() throws {
        let session = CommandSession(options)
        let argument = SnapshotArgument(snapshot)
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: nil, index: true) { destination in
                let found = try session.snapshot(argument.name, destination, host)
                let path = argument.normalizedPath
                guard !path.isEmpty else { return try list(found.record.tree, "", destination, session) }
                let browser = try SnapshotBrowser(destination.repository)
                guard let node = try browser.node(at: path, in: found) else {
                    throw RepositoryError.noPath(path, in: found.id)
                }
                if let subtree = node.subtree {
                    try list(subtree, path, destination, session)
                } else {
                    show(node, Array(path.utf8), session.terminal)
                }
            }
        }
    }

    private func list(_ tree: ObjectID, _ path: String, _ destination: OpenDestination, _ session: CommandSession)
        throws
    {
        let walk = try SnapshotWalk(destination.repository, cancellation: session.cancellation)
        // In the order of the tree nothing has to be kept.
        let streams = sort == .name && !reverse
        var entries: [(path: [UInt8], node: TreeNode)] = []
        try walk.run(root: tree, path: Array(path.utf8)) { entry in
            if streams {
                show(entry.node, entry.path, session.terminal)
            } else {
                var node = entry.node
                node.content = nil
                entries.append((entry.path, node))
            }
            return recursive
        }
        for entry in sorted(entries) { show(entry.node, entry.path, session.terminal) }
    }

    private func sorted(_ entries: [(path: [UInt8], node: TreeNode)]) -> [(path: [UInt8], node: TreeNode)] {
        var entries = entries
        switch sort {
        case .name: break
        case .size: Self.sort(&entries) { $0.node.size }
        case .time: Self.sort(&entries) { $0.node.modified.seconds }
        case .extension: Self.sort(&entries) { Self.fileExtension($0.node.name) }
        }
        return reverse ? entries.reversed() : entries
    }

    /// Sorts; equals stay in the order of the tree.
    private static func sort<Key: Comparable>(
        _ entries: inout [(path: [UInt8], node: TreeNode)], by key: ((path: [UInt8], node: TreeNode)) -> Key
    ) {
        let keyed = entries.enumerated().map { (key: key($1), position: $0, entry: $1) }
        entries = keyed.sorted { ($0.key, $0.position) < ($1.key, $1.position) }.map(\.entry)
    }

    /// What stands behind the last dot of a name; empty without a dot, and for names that start with their only one.
    private static func fileExtension(_ name: [UInt8]) -> String {
        guard let dot = name.lastIndex(of: 0x2E), dot > 0 else { return "" }
        return String(decoding: name[(dot + 1)...], as: UTF8.self)
    }

    private func show(_ node: TreeNode, _ path: [UInt8], _ terminal: Terminal) {
        let text = EntryText(node, path: path)
        if terminal.isJSON { return terminal.result(JSONLine.encoded(text.json("entry"))) }
        terminal.result(Terminal.printableLine(long ? text.line(humanReadable: humanReadable) : text.name))
    }
}
