import ArgumentParser
import HostServices
import JSON
import Maintenance
import Pipelines
import Repository
import RepositoryFormat
import SnapshotModel
import Threads

struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show what changed from one snapshot to another.",
        discussion: """
            The letter before each path says what happened: + added, - removed, M content changed, T another kind of \
            entry, U (with --metadata) owner, mode, times or attributes changed, ? behind M: the content changed and \
            nothing else did, not even a time, which may be damage of a disk.

            Example: stillpoint diff latest~1 latest
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Argument(help: ArgumentHelp("The older one, or a directory in it.", valueName: "snapshot[:path]")) var from: String
    @Argument(help: ArgumentHelp("The newer one, or a directory in it.", valueName: "snapshot[:path]")) var to: String
    @Flag(name: .long, help: "Also show entries of which only metadata changed.") var metadata = false
    @Flag(name: .customLong("no-statistics"), help: "Only the changes; reads nothing that did not change.")
    var noStatistics = false

    func run() throws {
        let session = CommandSession(options)
        let (first, second) = (SnapshotArgument(from), SnapshotArgument(to))
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: nil, index: true) { destination in
                let snapshots = try session.snapshots(destination)
                let hostname = host.pipelines.identity.hostname
                let old = try snapshots.chosen(first.name, hostname: hostname)
                let new = try snapshots.chosen(second.name, hostname: hostname)
                let browser = try SnapshotBrowser(destination.repository)
                let terminal = session.terminal
                terminal.remark("comparing snapshot \(old.id.short) to \(new.id.short)")
                let diff = try SnapshotDiff(
                    destination.repository, showsMetadata: metadata, cancellation: session.cancellation)
                let statistics = try diff.run(
                    from: try tree(first.normalizedPath, old, browser),
                    to: try tree(second.normalizedPath, new, browser),
                    counting: !noStatistics
                ) { show($0, terminal) }
                if let statistics { show(statistics, old, new, terminal) }
            }
        }
    }

    private func tree(_ path: String, _ snapshot: OpenRepository.Snapshot, _ browser: SnapshotBrowser) throws
        -> ObjectID
    {
        guard !path.isEmpty else { return snapshot.record.tree }
        guard let node = try browser.node(at: path, in: snapshot) else {
            throw RepositoryError.noPath(path, in: snapshot.id)
        }
        guard let subtree = node.subtree else {
            throw CommandExit(code: .usage, message: "\(path) is no directory; compare the one that it is in.")
        }
        return subtree
    }

    private func show(_ change: SnapshotDiff.Change, _ terminal: Terminal) {
        if terminal.isJSON {
            var object: JSONObject = ["message_type": "change"]
            EntryText.add(change.path, as: "path", to: &object)
            object["modifier"] = .string(change.modifier)
            return terminal.result(JSONLine.encoded(object))
        }
        let room = String(repeating: " ", count: max(0, 5 - change.modifier.count))
        terminal.result(Terminal.printableLine(change.modifier + room + String(decoding: change.path, as: UTF8.self)))
    }

    private func show(
        _ statistics: DiffStatistics, _ old: OpenRepository.Snapshot, _ new: OpenRepository.Snapshot,
        _ terminal: Terminal
    ) {
        let (added, removed) = (statistics.added, statistics.removed)
        if terminal.isJSON {
            return terminal.result(
                JSONLine.encoded([
                    "message_type": "statistics", "source_snapshot": .string(old.id.hexadecimal),
                    "target_snapshot": .string(new.id.hexadecimal),
                    "changed_files": .integer(Int64(statistics.changedFiles)), "added": .object(Self.json(added)),
                    "removed": .object(Self.json(removed)),
                ]))
        }
        var table = Table(["", "ADDED", "REMOVED", "CHANGED"])
        table.add(["files", "\(added.files)", "\(removed.files)", "\(statistics.changedFiles)"])
        table.add(["directories", "\(added.directories)", "\(removed.directories)"])
        table.add(["others", "\(added.others)", "\(removed.others)"])
        table.add(["data blobs", "\(added.dataBlobs)", "\(removed.dataBlobs)"])
        table.add(["tree blobs", "\(added.treeBlobs)", "\(removed.treeBlobs)"])
        table.add([
            "bytes", Units.bytes(Int64(clamping: added.byteCount)), Units.bytes(Int64(clamping: removed.byteCount)),
        ])
        terminal.result("")
        table.lines.forEach(terminal.result)
    }

    private static func json(_ side: DiffStatistics.Side) -> JSONObject {
        [
            "files": .integer(Int64(side.files)), "dirs": .integer(Int64(side.directories)),
            "others": .integer(Int64(side.others)), "data_blobs": .integer(Int64(side.dataBlobs)),
            "tree_blobs": .integer(Int64(side.treeBlobs)), "bytes": .integer(Int64(clamping: side.byteCount)),
        ]
    }
}
