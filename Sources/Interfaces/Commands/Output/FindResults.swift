import JSON
import Maintenance
import Repository
import RepositoryFormat
import SnapshotModel

/// Shows findings as they come.
final class FindResults {
    private let terminal: Terminal
    private let long: Bool
    private let humanReadable: Bool
    private var count = 0
    private var unreadableCount = 0

    init(_ terminal: Terminal, long: Bool, humanReadable: Bool) {
        self.terminal = terminal
        self.long = long
        self.humanReadable = humanReadable
    }

    /// Tells of a tree that cannot be searched.
    func unreadable(_ snapshot: OpenRepository.Snapshot) -> (ObjectID, [UInt8], any Error) -> Void {
        { _, path, error in
            self.unreadableCount += 1
            let place = path.isEmpty ? "/" : String(decoding: path, as: UTF8.self)
            self.terminal.warning("\(snapshot.id.short):\(place) cannot be searched: \(error)")
        }
    }

    /// Shows an entry that fits.
    func show(_ entry: SnapshotWalk.Entry, _ snapshot: OpenRepository.Snapshot) {
        count += 1
        let text = EntryText(entry.node, path: entry.path)
        if terminal.isJSON {
            var object = text.json("match")
            object["snapshot"] = .string(snapshot.id.hexadecimal)
            object["snapshot_time"] = .string(snapshot.record.time.text)
            return terminal.result(JSONLine.encoded(object))
        }
        let prefix = snapshot.id.short + ":"
        let line = long ? text.line(humanReadable: humanReadable, prefix: prefix) : prefix + text.name
        terminal.result(Terminal.printableLine(line))
    }

    /// Shows what needs an object.
    func show(_ finding: ObjectSearch.Finding, _ snapshot: OpenRepository.Snapshot) {
        count += 1
        if terminal.isJSON {
            var object: JSONObject = [
                "message_type": "object", "object_type": .string(finding.kind == .data ? "blob" : "tree"),
                "id": .string(finding.id.hexadecimal),
            ]
            EntryText.add(finding.path, as: "path", to: &object)
            object["parent_tree"] = finding.parent.map { .string($0.hexadecimal) }
            object["pack"] = finding.pack.map { .string($0.hexadecimal) }
            object["snapshot"] = .string(snapshot.id.hexadecimal)
            object["snapshot_time"] = .string(snapshot.record.time.text)
            return terminal.result(JSONLine.encoded(object))
        }
        let place = "\(snapshot.id.short):\(String(decoding: finding.path, as: UTF8.self))"
        let pack = finding.pack.map { "pack \($0.short)" } ?? "in no index"
        let kind = finding.kind == .data ? "blob" : "tree"
        terminal.result(Terminal.printableLine("\(kind) \(finding.id.short)  \(pack)  \(place)"))
    }

    /// Says how much there was.
    ///
    /// - Throws: ``CommandExit`` when not all could be searched.
    func end(snapshotCount: Int) throws {
        let snapshots = "\(snapshotCount) snapshot\(snapshotCount == 1 ? "" : "s")"
        terminal.remark(count == 0 ? "nothing found in \(snapshots)" : "\(count) found in \(snapshots)")
        guard unreadableCount == 0 else {
            throw CommandExit(
                code: .verificationFailed,
                message: "\(unreadableCount) director\(unreadableCount == 1 ? "y" : "ies") could not be searched; "
                    + "run 'stillpoint check' to see the extent.")
        }
    }
}
