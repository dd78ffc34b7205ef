import ArgumentParser
import HostServices
import JSON
import Maintenance
import Pipelines
import Repository
import SnapshotModel
import Threads

struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Count what snapshots hold and what they cost.",
        discussion: """
            restore-size: what restoring each of the snapshots would write. files-by-contents: files with different \
            content, once each. raw-data: what the snapshots occupy in the repository, and how well it is compressed. \
            blobs-per-file: the blobs of files with different content, once for each path.

            Examples: stillpoint stats latest, stillpoint stats --mode raw-data
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Argument(help: "Ids, their first digits, or 'latest'; all snapshots when none is given.")
    var snapshot: [String] = []
    @OptionGroup var selection: SnapshotSelection
    @Option(
        name: .long,
        help: ArgumentHelp("restore-size, files-by-contents, raw-data or blobs-per-file.", valueName: "mode"))
    var mode = "restore-size"

    func validate() throws { _ = try chosenMode() }

    private func chosenMode() throws -> RepositoryStatistics.Mode {
        guard let mode = RepositoryStatistics.Mode(rawValue: mode) else {
            throw ValidationError(
                "'\(mode)' is no mode; use restore-size, files-by-contents, raw-data or blobs-per-file.")
        }
        return mode
    }

    func run() throws {
        let session = CommandSession(options)
        let mode = try chosenMode()
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: nil, index: true) { destination in
                let all = try session.snapshots(destination)
                var snapshots = try selection.filtered(all)
                if !snapshot.isEmpty {
                    let hostname = host.pipelines.identity.hostname
                    let ids = Set(try snapshot.map { try all.chosen($0, hostname: hostname).id })
                    snapshots.removeAll { !ids.contains($0.id) }
                }
                let count = try StatisticsCount(
                    destination.repository, mode: mode, cancellation: session.cancellation)
                let terminal = session.terminal
                let total = snapshots.count
                let statistics = try count.run(snapshots) { terminal.progress("snapshots  \($0)/\(total)") }
                terminal.progress(nil)
                if terminal.isJSON { return terminal.result(JSONLine.encoded(statistics.json)) }
                statistics.lines.forEach(terminal.result)
            }
        }
    }
}
