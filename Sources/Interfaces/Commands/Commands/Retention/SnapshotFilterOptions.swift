import ArgumentParser
import Retention
import SnapshotModel

/// Which snapshots a command is about.
struct SnapshotFilterOptions: ParsableArguments {
    @Option(
        name: .long, help: ArgumentHelp("Only snapshots of this host; may be repeated for several.", valueName: "name"))
    var host: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Only snapshots with all of these tags; repeated: or all of those.", valueName: "tag,…"))
    var tag: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Only snapshots with this path; repeated: with each of them.", valueName: "path"))
    var path: [String] = []

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Only snapshots that hold this application; may be repeated.", valueName: "name"))
    var application: [String] = []

    /// - Throws: `SnapshotModelError` for a name that no application can have.
    func filter() throws -> SnapshotFilter {
        var filter = SnapshotFilter()
        filter.hosts = host
        filter.tags = tag.map { TagList($0) }
        filter.paths = path
        filter.applications = try application.map { try ApplicationName($0).text }
        return filter
    }
}
