import ArgumentParser
import HostServices
import JSON
import Maintenance
import Pipelines
import RepositoryFormat
import SnapshotModel

struct RepairIndex: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index", abstract: "Build the index anew from the packs where it is wrong.",
        discussion: """
            Reads the headers of packs that the index does not name, or that have another size than it says; drops what \
            it says of packs that are gone; removes index files that cannot be read. No pack is touched.

            Ends with 3 when the header of a pack cannot be read; what the index says of it is kept, and 'stillpoint \
            repair packs' saves its blobs.
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @OptionGroup var repair: RepairOptions
    @Flag(name: .customLong("read-all-packs"), help: "Read the headers of all packs and trust no index.")
    var readAllPacks = false

    func run() throws {
        let session = CommandSession(options)
        let plan = try session.withHost { host in
            try session.withRepository(
                host, passwords, lock: repair.dryRun ? .shared : .exclusive, index: false
            ) { destination in
                let terminal = session.terminal
                let work = IndexRepair(
                    destination.repository, readsAllPacks: readAllPacks, cancellation: session.cancellation
                ) { terminal.progress("packs  \($0)/\($1)") }
                let plan = try work.plan()
                terminal.progress(nil)
                if !repair.dryRun, !plan.isEmpty { try work.execute(plan) }
                return plan
            }
        }
        show(plan, session.terminal)
        if !plan.unreadablePacks.isEmpty {
            throw CommandExit(
                code: .partial,
                message:
                    "The headers of \(Self.packs(plan.unreadablePacks.count)) cannot be read; run 'stillpoint repair "
                    + "packs' with their ids.")
        }
    }

    private func show(_ plan: IndexRepair.Plan, _ terminal: Terminal) {
        if terminal.isJSON {
            return terminal.result(
                JSONLine.encoded([
                    "message_type": "repair_index", "dry_run": .bool(repair.dryRun),
                    "changed": .bool(!plan.isEmpty && !repair.dryRun),
                    "removed_indexes": .array(plan.unreadableIndexes.map { .string($0.id.hexadecimal) }),
                    "missing_packs": .array(plan.missingPacks.map { .string($0.hexadecimal) }),
                    "added_packs": .array(plan.addedPacks.map { .string($0.id.hexadecimal) }),
                    "corrected_packs": .array(plan.correctedPacks.map { .string($0.id.hexadecimal) }),
                    "repeated_packs": .array(plan.repeatedPacks.map { .string($0.hexadecimal) }),
                    "unreadable_packs": .array(plan.unreadablePacks.map { .string($0.id.hexadecimal) }),
                ]))
        }
        let would = repair.dryRun ? "would be " : ""
        for (id, reason) in plan.unreadableIndexes {
            terminal.result("index \(id) \(would)removed: \(Terminal.printable(reason))")
        }
        for id in plan.missingPacks { terminal.result("pack \(id) \(would)dropped: it is missing") }
        for (id, blobs) in plan.addedPacks { terminal.result("pack \(id) \(would)added: \(blobs.count) blobs") }
        for (id, blobs) in plan.correctedPacks { terminal.result("pack \(id) \(would)corrected: \(blobs.count) blobs") }
        for (id, reason) in plan.unreadablePacks {
            terminal.result("pack \(id) left alone: \(Terminal.printable(reason))")
        }
        if !plan.repeatedPacks.isEmpty {
            terminal.result("\(Self.packs(plan.repeatedPacks.count)) in several index files \(would)kept in one")
        }
        if plan.isEmpty { terminal.result("the index is right; nothing to do") }
    }

    private static func packs(_ count: Int) -> String { "\(count) pack\(count == 1 ? "" : "s")" }
}
