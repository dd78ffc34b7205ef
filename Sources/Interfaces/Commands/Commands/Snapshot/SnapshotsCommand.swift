import ArgumentParser
import Catalog
import HostServices
import JSON
import Pipelines
import Repository
import RepositoryFormat
import SnapshotModel
import Threads

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
