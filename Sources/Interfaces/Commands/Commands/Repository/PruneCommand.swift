import ArgumentParser
import HostServices
import Maintenance
import Repository

struct PruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove from the repository what no snapshot needs.",
        discussion: """
            Packs without a needed blob are removed; packs with a few unneeded ones are written anew until no more than \
            --max-unused is left over. Nothing that a snapshot needs is ever in fewer than one place, so that prune may be \
            killed at any moment and simply run again. Ends with 24, and changes nothing, when a snapshot, a tree or an \
            index cannot be read. Works in a full store, too.
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @OptionGroup var settings: PruneSettings
    @Flag(name: [.customShort("n"), .customLong("dry-run")], help: "Show what would be done, and why; change nothing.")
    var dryRun = false

    func run() throws {
        let session = CommandSession(options)
        let step = PruneStep(options: try settings.options(), isDryRun: dryRun)
        try session.withHost { host in
            // Also a dry run: what others write at the moment would look like garbage.
            try session.withRepository(host, passwords, lock: .exclusive, index: false) { destination in
                try step.run(destination, detail: options.verbose > 0 ? .packs : .table, host, session)
            }
        }
    }
}
