import ArgumentParser
import Maintenance
import Pipelines

struct PinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin", abstract: "Keep snapshots from ever being forgotten, until they are unpinned.",
        discussion: """
            A pin is the tag 'pinned'. Stock restic shows it and keeps what has it when told --keep-tag pinned. As with \
            every change of tags the snapshot gets a new id; what it holds stays the same.
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Argument(help: ArgumentHelp("Ids, their first digits, or 'latest'.", valueName: "snapshot"))
    var snapshots: [String]

    func run() throws {
        let session = CommandSession(options)
        let run = TagRun(
            options: options, passwords: passwords, selection: SnapshotChoice(names: snapshots),
            change: TagChange(added: [TagRules.pinTag]))
        run.summarize(try run.run(session), session.terminal, verb: "pinned")
    }
}

struct UnpinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpin", abstract: "Let pinned snapshots be forgotten again.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Argument(help: ArgumentHelp("Ids, their first digits, or 'latest'.", valueName: "snapshot"))
    var snapshots: [String]

    func run() throws {
        let session = CommandSession(options)
        let run = TagRun(
            options: options, passwords: passwords, selection: SnapshotChoice(names: snapshots),
            change: TagChange(removed: [TagRules.pinTag]))
        run.summarize(try run.run(session), session.terminal, verb: "unpinned")
    }
}
