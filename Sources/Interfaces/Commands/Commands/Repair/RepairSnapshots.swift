import ArgumentParser
import HostServices
import JSON
import Maintenance
import Pipelines
import Repository
import RepositoryFormat
import SnapshotModel

struct RepairSnapshots: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshots", abstract: "Replace snapshots that need something lost by ones that do not.",
        discussion: """
            A file of which parts are lost keeps the rest and is called NAME.damaged from then on; a directory that \
            cannot be read becomes an empty one, NAME.damaged. Every change is listed. The new snapshot has the tag \
            'repaired' and names its original; the old one stays unless --forget is given.

            Run 'stillpoint check --read-data' and the other repairs before: what they save is not lost. Ends with 3 when \
            a snapshot cannot be repaired; --forget with its id removes it.
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @OptionGroup var repair: RepairOptions
    @Flag(help: "Remove the old snapshots when the new ones are stored.") var forget = false
    @Flag(name: .shortAndLong, help: "Do not ask for the confirmation.") var yes = false
    @Argument(help: ArgumentHelp("Ids or their first digits (default: all snapshots).", valueName: "snapshot"))
    var snapshots: [String] = []

    func run() throws {
        let session = CommandSession(options)
        let (plan, done) = try session.withHost { host in
            try session.withRepository(
                host, passwords, lock: repair.dryRun ? .shared : .exclusive, index: false
            ) { destination in
                let terminal = session.terminal
                let work = SnapshotRepair(destination.repository, cancellation: session.cancellation) {
                    terminal.progress("snapshots  \($0)/\($1)")
                }
                let plan = try work.plan(snapshots)
                terminal.progress(nil)
                guard !repair.dryRun, !plan.repairs.isEmpty || !plan.unreadableNamed.isEmpty else {
                    return (plan, [SnapshotRepair.Done]())
                }
                if forget {
                    if !terminal.isJSON { lines(plan).forEach(terminal.remark) }
                    try RepairOptions.confirm("repair", to: "replace these snapshots", yes: yes, session)
                }
                let done = try work.execute(
                    plan, forgets: forget, programVersion: "stillpoint \(host.pipelines.programVersion)")
                return (plan, done)
            }
        }
        show(plan, done, session.terminal)
        try finish(plan)
    }

    private func finish(_ plan: SnapshotRepair.Plan) throws {
        guard !repair.dryRun else { return }
        let removed = forget ? Set(plan.unreadableNamed) : []
        let left =
            plan.unreadable.map(\.id).filter { !removed.contains($0) }
            + (forget ? [] : plan.repairs.filter { $0.tree == nil }.map(\.snapshot.id))
        guard !left.isEmpty else { return }
        throw CommandExit(
            code: .partial,
            message: "\(left.count == 1 ? "This snapshot" : "These snapshots") cannot be repaired: "
                + left.map(\.hexadecimal).joined(separator: " ")
                + "; 'stillpoint repair snapshots --forget' with the id removes what is left of it.")
    }

    private func lines(_ plan: SnapshotRepair.Plan) -> [String] {
        var lines: [String] = []
        for (id, reason) in plan.unreadable { lines.append("snapshot \(id.short) cannot be read: \(reason)") }
        for repair in plan.repairs {
            let record = repair.snapshot.record
            lines.append(
                "snapshot \(repair.snapshot.id.short) of \(record.time.text) from \(record.hostname):"
                    + (repair.tree == nil ? " nothing of it can be read" : ""))
            lines += repair.changes.map { "  " + Self.text($0) }
        }
        return lines.map(Terminal.printable)
    }

    private static func text(_ change: SnapshotRepair.Change) -> String {
        let path = "/" + String(decoding: change.path, as: UTF8.self)
        let name = change.newName.map { "; it is called \(String(decoding: $0, as: UTF8.self)) now" } ?? ""
        switch change.loss {
        case .content(let lost, let parts, let byteCount, let total):
            return "\(path): \(lost) of \(parts) parts are lost, \(byteCount) of \(total) bytes are left\(name)"
        case .directory: return "\(path): everything in it is lost\(name)"
        case .entry(let kind): return "\(path): left out, its type '\(kind)' is unknown"
        case .wrongSize(let byteCount, let total):
            return "\(path): its size is \(byteCount) and not \(total); nothing is lost"
        }
    }

    private func show(_ plan: SnapshotRepair.Plan, _ done: [SnapshotRepair.Done], _ terminal: Terminal) {
        if terminal.isJSON { return terminal.result(JSONLine.encoded(json(plan, done))) }
        lines(plan).forEach(terminal.result)
        for step in done {
            let forgotten = forget ? ", removed the old one" : ""
            terminal.result(
                step.new.map { "snapshot \(step.old.short) is \($0.short) now\(forgotten)" }
                    ?? "removed snapshot \(step.old.short)")
        }
        if plan.repairs.isEmpty {
            terminal.result("nothing that \(plan.snapshotCount) snapshots need is missing; nothing to do")
        }
    }

    private func json(_ plan: SnapshotRepair.Plan, _ done: [SnapshotRepair.Done]) -> JSONObject {
        let new = Dictionary(done.map { ($0.old, $0.new) }) { first, _ in first }
        let repairs = plan.repairs.map { repair -> JSONValue in
            let id = repair.snapshot.id
            var object: JSONObject = [
                "id": .string(id.hexadecimal), "removed": .bool(forget && new[id] != nil),
                "changes": .array(repair.changes.map { .object(Self.json($0)) }),
            ]
            if let id = new[id] ?? nil { object["new_id"] = .string(id.hexadecimal) }
            return .object(object)
        }
        return [
            "message_type": "repair_snapshots", "dry_run": .bool(self.repair.dryRun),
            "snapshots": .integer(Int64(plan.snapshotCount)), "repairs": .array(repairs),
            "unreadable": .array(plan.unreadable.map { .string($0.id.hexadecimal) }),
            "removed_unreadable": .array(
                done.isEmpty || !forget ? [] : plan.unreadableNamed.map { .string($0.hexadecimal) }),
        ]
    }

    private static func json(_ change: SnapshotRepair.Change) -> JSONObject {
        var object: JSONObject = ["path": .string("/" + String(decoding: change.path, as: UTF8.self))]
        if let name = change.newName { object["new_name"] = .string(String(decoding: name, as: UTF8.self)) }
        switch change.loss {
        case .content(let lost, let parts, let byteCount, let total):
            object["loss"] = "content"
            object["lost_parts"] = .integer(Int64(lost))
            object["parts"] = .integer(Int64(parts))
            object["bytes_left"] = .integer(Int64(clamping: byteCount))
            object["bytes"] = .integer(Int64(clamping: total))
        case .directory: object["loss"] = "directory"
        case .entry(let kind):
            object["loss"] = "entry"
            object["type"] = .string(kind)
        case .wrongSize(let byteCount, let total):
            object["loss"] = "none"
            object["bytes_left"] = .integer(Int64(clamping: byteCount))
            object["bytes"] = .integer(Int64(clamping: total))
        }
        return object
    }
}
