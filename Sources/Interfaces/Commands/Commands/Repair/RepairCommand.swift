import ArgumentParser

struct RepairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair", abstract: "Make a damaged repository good again, as far as what is stored allows.",
        discussion: """
            'stillpoint check --read-data' says what is damaged and which of these commands help, in their order. Each \
            writes what is new before it removes anything, needs the repository for itself, and can be run again after \
            it was stopped.

            A copy of the repository made before a repair is never wrong.
            """,
        subcommands: [RepairIndex.self, RepairPacks.self, RepairSnapshots.self])
}
