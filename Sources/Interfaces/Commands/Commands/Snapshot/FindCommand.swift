import ArgumentParser
import HostServices
import JSON
import Maintenance
import Pipelines
import Repository
import RepositoryFormat
import SnapshotModel
import Threads

struct FindCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "find", abstract: "Find entries of snapshots, or what needs a blob, a tree or a pack.",
        discussion: """
            Each line is SNAPSHOT:PATH, as ls, dump and restore take it, of the newest snapshot first. A pattern fits the \
            name of an entry, with slashes the end of its path, with a slash in front the whole path; * ? and [a-z] stay \
            within a name, ** spans directories. Several patterns find what fits any of them.

            Examples: stillpoint find '*.conf' --oldest 7d, stillpoint find --type file --min-size 1G, \
            stillpoint find --pack 025c1d06
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Argument(help: "Patterns; or ids, whole or their first digits, with --blob, --tree or --pack.")
    var pattern: [String] = []
    @OptionGroup var conditions: EntryConditions
    @OptionGroup var selection: SnapshotSelection
    @Option(
        name: .shortAndLong, parsing: .singleValue,
        help: ArgumentHelp("Only in this snapshot; may be repeated.", valueName: "id"))
    var snapshot: [String] = []
    @Flag(name: .long, help: "Find the files that need these blobs.") var blob = false
    @Flag(name: .long, help: "Find the directories that are these trees.") var tree = false
    @Flag(name: .long, help: "Find the files and directories that need anything in these packs.") var pack = false
    @Flag(name: .shortAndLong, help: "With modes, owners, sizes and times.") var long = false
    @Flag(name: .customLong("human-readable"), help: "Sizes with units instead of bytes, with --long.")
    var humanReadable = false
    @Flag(name: [.customShort("R"), .long], help: "The oldest snapshot first.") var reverse = false

    func validate() throws {
        let kinds = [blob, tree, pack].filter { $0 }.count
        if kinds > 1 { throw ValidationError("Choose one of --blob, --tree and --pack.") }
        if kinds == 1 {
            if pattern.isEmpty { throw ValidationError("Give the ids to look for.") }
            if !conditions.isEmpty || conditions.ignoreCase || long {
                throw ValidationError("Ids are looked for without conditions on entries.")
            }
        } else if pattern.isEmpty, conditions.isEmpty {
            throw ValidationError("Say what to look for: a pattern such as '*.conf', or --type, --oldest, --min-size.")
        }
    }

    func run() throws {
        let session = CommandSession(options)
        let wanted = try conditions.conditions(
            blob || tree || pack ? [] : pattern, now: Timestamp(milliseconds: Host.now().milliseconds))
        let names = try blob || tree || pack ? objectNames() : ObjectNames()
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: nil, index: true) { destination in
                let snapshots = try chosen(session, destination, host)
                let results = FindResults(session.terminal, long: long, humanReadable: humanReadable)
                if blob || tree || pack {
                    let search =
                        try pack
                        ? ObjectSearch(destination.repository, packs: names, cancellation: session.cancellation)
                        : ObjectSearch(
                            destination.repository, blobs: blob ? names : ObjectNames(),
                            trees: tree ? names : ObjectNames(), cancellation: session.cancellation)
                    for snapshot in snapshots {
                        try search.run(snapshot, unreadable: results.unreadable(snapshot)) {
                            results.show($0, snapshot)
                        }
                    }
                } else {
                    let search = try EntrySearch(destination.repository, wanted, cancellation: session.cancellation)
                    for snapshot in snapshots {
                        try search.run(snapshot, unreadable: results.unreadable(snapshot)) {
                            results.show($0, snapshot)
                        }
                    }
                }
                try results.end(snapshotCount: snapshots.count)
            }
        }
    }

    /// The newest first.
    private func chosen(
        _ session: CommandSession, _ destination: OpenDestination, _ host: Host
    ) throws -> [OpenRepository.Snapshot] {
        let all = try session.snapshots(destination)
        var snapshots = all
        if !snapshot.isEmpty {
            let ids = Set(try snapshot.map { try all.chosen($0, hostname: host.pipelines.identity.hostname).id })
            snapshots = all.filter { ids.contains($0.id) }
        }
        snapshots = try selection.filtered(snapshots)
        return reverse ? snapshots : snapshots.reversed()
    }

    private func objectNames() throws -> ObjectNames {
        var names = ObjectNames()
        for text in pattern where !names.insert(text) {
            throw ValidationError("'\(text)' is no id; give 4 to 64 hexadecimal digits.")
        }
        return names
    }
}
