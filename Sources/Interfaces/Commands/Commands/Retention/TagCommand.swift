import ArgumentParser
import Maintenance
import Pipelines
import Retention

struct TagCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tag", abstract: "Change the tags of snapshots.",
        discussion: """
            Tags that say what a snapshot is (its kind, applications, run) stay as they are. A snapshot whose tags change \
            gets a new id, and names its first one as its original, as with restic.
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Argument(help: ArgumentHelp("Ids, their first digits, or 'latest'.", valueName: "snapshot"))
    var snapshots: [String] = []
    @Option(name: .long, help: ArgumentHelp("Add these tags; may be repeated.", valueName: "tag,…"))
    var add: [String] = []
    @Option(name: .long, help: ArgumentHelp("Remove these tags; may be repeated.", valueName: "tag,…"))
    var remove: [String] = []
    @Option(
        name: .long,
        help: ArgumentHelp("Replace all tags by these; '' for none.", valueName: "tag,…")) var set: [String] = []
    @OptionGroup(title: "Filter") var filter: SnapshotFilterOptions

    func validate() throws {
        if add.isEmpty, remove.isEmpty, set.isEmpty {
            throw ValidationError("Say what to change: --add, --remove or --set.")
        }
        if !set.isEmpty, !add.isEmpty || !remove.isEmpty {
            throw ValidationError("--set goes neither with --add nor with --remove.")
        }
    }

    func run() throws {
        let session = CommandSession(options)
        let filter = try filter.filter()
        if snapshots.isEmpty, filter.isEmpty {
            throw ValidationError("Say which snapshots: by their ids, or by --host, --tag, --path or --application.")
        }
        let change = TagChange(
            replacement: set.isEmpty ? nil : Self.tags(set), added: Self.tags(add), removed: Self.tags(remove))
        try TagRules.validate(change)
        let run = TagRun(
            options: options, passwords: passwords, selection: SnapshotChoice(names: snapshots, filter: filter),
            change: change)
        run.summarize(try run.run(session), session.terminal, verb: "changed")
    }

    private static func tags(_ lists: [String]) -> [String] {
        lists.flatMap { TagList($0).tags }.filter { !$0.isEmpty }
    }
}
