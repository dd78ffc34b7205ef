import ArgumentParser
import HostServices
import JSON
import Maintenance
import Pipelines
import RepositoryFormat
import SnapshotModel

struct RepairPacks: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "packs", abstract: "Save what is intact of damaged packs, and remove them.",
        discussion: """
            Each blob that can be proven is stored in a new pack before the old one is removed. What is lost 'stillpoint \
            repair snapshots' takes out of the snapshots, unless a new backup of the same files brings it back first.
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @OptionGroup var repair: RepairOptions
    @Flag(name: .shortAndLong, help: "Do not ask for the confirmation.") var yes = false
    @Argument(help: ArgumentHelp("Packs as 'check' names them; their first digits are enough.", valueName: "pack"))
    var packs: [String]

    func run() throws {
        let session = CommandSession(options)
        let plan = try session.withHost { host in
            try session.withRepository(
                host, passwords, lock: repair.dryRun ? .shared : .exclusive, index: false
            ) { destination in
                let terminal = session.terminal
                let work = PackRepair(destination.repository, cancellation: session.cancellation) {
                    terminal.progress("packs  \($0)/\($1)")
                }
                let plan = try work.plan(packs)
                terminal.progress(nil)
                if !repair.dryRun {
                    if !terminal.isJSON { lines(plan, planned: true).forEach(terminal.remark) }
                    try RepairOptions.confirm("repair", to: "remove these packs", yes: yes, session)
                    try work.execute(plan)
                }
                return plan
            }
        }
        show(plan, session.terminal)
    }

    private func show(_ plan: PackRepair.Plan, _ terminal: Terminal) {
        if terminal.isJSON {
            let packs = plan.packs.map { pack -> JSONValue in
                .object([
                    "id": .string(pack.id.hexadecimal), "missing": .bool(pack.byteCount == nil),
                    "problems": .array(pack.problems.map { .string($0) }),
                    "saved_blobs": .integer(Int64(pack.intact.count)),
                    "copied_elsewhere": .integer(Int64(pack.copied.count)),
                    "lost_blobs": .array(pack.lost.map { .string($0.id.hexadecimal) }),
                ])
            }
            return terminal.result(
                JSONLine.encoded([
                    "message_type": "repair_packs", "dry_run": .bool(repair.dryRun), "packs": .array(packs),
                ]))
        }
        lines(plan, planned: repair.dryRun).forEach(terminal.result)
        let lost = plan.packs.reduce(0) { $0 + $1.lost.count }
        if lost > 0 {
            terminal.remark(
                "\(lost) blob\(lost == 1 ? " is" : "s are") lost; a backup of the same files brings them back, or 'stillpoint repair "
                    + "snapshots --forget' takes them out of the snapshots")
        }
    }

    private func lines(_ plan: PackRepair.Plan, planned: Bool) -> [String] {
        plan.packs.map { pack in
            let problems =
                pack.problems.isEmpty ? "nothing is wrong with the whole" : pack.problems.joined(separator: "; ")
            var text = "pack \(pack.id): \(problems); \(pack.intact.count) blobs \(planned ? "to be saved" : "saved")"
            if !pack.copied.isEmpty { text += ", \(pack.copied.count) intact in other packs" }
            return Terminal.printable(text + ", \(pack.lost.count) lost")
        }
    }
}
