import ArgumentParser
import HostServices
import JSON
import Pipelines
import Repository
import RepositoryFormat
import SnapshotModel
import Threads

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

    /// As ls(1) shows type and mode: "drwxr-xr-x".
    static func modeText(_ node: TreeNode) -> String {
        let type: Character =
            switch node.kind {
            case .dir: "d"
            case .symlink: "l"
            case .dev: "b"
            case .chardev: "c"
            case .fifo: "p"
            case .socket: "s"
            default: "-"
            }
        let mode = GoFileMode.permissions(node.mode)
        var text = [type]
        for (shift, special, letter) in [(6, 0o4000, "s"), (3, 0o2000, "s"), (0, 0o1000, "t")]
            as [(UInt32, UInt32, Character)]
        {
            let bits = mode >> shift
            text.append(bits & 4 != 0 ? "r" : "-")
            text.append(bits & 2 != 0 ? "w" : "-")
            let isExecutable = bits & 1 != 0
            if mode & special != 0 {
                text.append(isExecutable ? letter : Character(letter.uppercased()))
            } else {
                text.append(isExecutable ? "x" : "-")
            }
        }
        return String(text)
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
        let time = node.modified.text.prefix(19).replacing("T", with: " ")
        let size = String(node.size)
        let padding = String(repeating: " ", count: max(0, 12 - size.count))
        terminal.result(
            Terminal.printable("\(Self.modeText(node))  \(owner)  \(padding)\(size)  \(time)  \(path)\(target)"))
    }
}
