import ArgumentParser
import Repository
import RepositoryFormat
import SnapshotModel

/// Which snapshots of the repository a command looks at; without options all.
struct SnapshotSelection: ParsableArguments {
    @Option(name: .shortAndLong, help: ArgumentHelp("Only snapshots that hold this application.", valueName: "name"))
    var application: String?

    @Option(name: .long, help: ArgumentHelp("Only snapshots of this host.", valueName: "name"))
    var host: String?

    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp("Only snapshots with this tag; may be repeated, then with all of them.", valueName: "tag"))
    var tag: [String] = []

    /// Those of `snapshots` that are meant.
    func filtered(_ snapshots: [OpenRepository.Snapshot]) throws -> [OpenRepository.Snapshot] {
        let application = try application.map { try ApplicationName($0) }
        return snapshots.filter { snapshot in
            let record = snapshot.record
            if let host, record.hostname != host { return false }
            guard tag.allSatisfy({ record.tags.contains($0) }) else { return false }
            guard let application else { return true }
            return SnapshotTags(decoding: record.tags)?.applications.contains(application) ?? false
        }
    }
}
