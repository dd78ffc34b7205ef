import HostServices
import JSON
import Maintenance
import Pipelines
import Repository
import RepositoryFormat
import Threads

/// What `tag`, `pin` and `unpin` have in common: they change the tags of snapshots.
struct TagRun {
    let options: GlobalOptions
    let passwords: PasswordOptions
    let selection: SnapshotChoice
    let change: TagChange

    /// - Returns: what was changed, told already with `--json`.
    func run(_ session: CommandSession) throws -> [SnapshotTagging.Change] {
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: .exclusive, index: false) { destination in
                let listing = try SnapshotListing(destination, session)
                let found = try selection.found(
                    in: listing.snapshots, hostname: host.pipelines.identity.hostname)
                var present = Dictionary(listing.snapshots.map { ($0.id, $0) }) { first, _ in first }
                var tagging = SnapshotTagging(destination.repository, among: listing.snapshots)
                var changes: [SnapshotTagging.Change] = []
                defer { listing.remember(Array(present.values), host, session) }
                for snapshot in found {
                    try session.cancellation.check()
                    let tags = TagRules.tags(snapshot.record.tags, after: change)
                    guard let done = try tagging.change(snapshot, to: tags) else { continue }
                    present[done.old.id] = nil
                    present[done.new.id] = done.new
                    changes.append(done)
                    show(done, session.terminal)
                }
                return changes
            }
        }
    }

    private func show(_ change: SnapshotTagging.Change, _ terminal: Terminal) {
        guard terminal.isJSON else { return }
        terminal.result(
            JSONLine.encoded([
                "message_type": "changed", "old_snapshot_id": .string(change.old.id.hexadecimal),
                "new_snapshot_id": .string(change.new.id.hexadecimal),
                "tags": .array(change.new.record.tags.map { .string($0) }),
            ]))
    }

    /// Tells how many snapshots were changed, and which ids they have now.
    func summarize(_ changes: [SnapshotTagging.Change], _ terminal: Terminal, verb: String) {
        if terminal.isJSON {
            return terminal.result(
                JSONLine.encoded(["message_type": "summary", "changed_snapshots": .integer(Int64(changes.count))]))
        }
        for change in changes {
            terminal.result("\(verb) \(change.old.id.short), which is \(change.new.id.short) now")
        }
        if changes.isEmpty { terminal.result("nothing to change") }
    }
}
