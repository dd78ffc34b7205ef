import ArgumentParser
import HostServices
import JSON
import Maintenance
import Pipelines
import Repository
import SnapshotModel

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Prove that the repository holds what its snapshots need.",
        discussion: """
            Ends with 24 when something is missing or damaged, and says which files of which snapshots that concerns. \
            Leftovers of interrupted backups are no damage.

            With --read-data-subset 1/7 on Mondays, 2/7 on Tuesdays and so on, a week reads everything once.
            """)

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Flag(name: .customLong("read-data"), help: "Read every pack and prove each blob.") var readData = false
    @Option(
        name: .customLong("read-data-subset"),
        help: ArgumentHelp(
            "Read a part of the packs: n/t the n-th of t parts, x% or a size such as 2G a random choice.",
            valueName: "part")) var part: String?

    func validate() throws {
        guard let part else { return }
        if readData { throw ValidationError("Choose one of --read-data and --read-data-subset.") }
        guard DataSubset(text: part) != nil else {
            throw ValidationError(
                "'\(part)' is no part of the data; write n/t with n from 1 to t and t up to 256, a percentage such as 2.5%, or a size such as 500M."
            )
        }
    }

    func run() throws {
        let session = CommandSession(options)
        let subset = part.flatMap { DataSubset(text: $0) } ?? (readData ? .all : .none)
        let result = try session.withHost { host in
            try session.withRepository(host, passwords, lock: .shared, index: false) { destination in
                let terminal = session.terminal
                let check = RepositoryCheck(
                    destination.repository, subset: subset, cancellation: session.cancellation
                ) { progress in
                    let total = progress.total > 0 ? "/\(progress.total)" : ""
                    terminal.progress("\(progress.phase.rawValue)  \(progress.done)\(total)")
                }
                let result = try check.run()
                terminal.progress(nil)
                return result
            }
        }
        CheckText(result).show(session.terminal)
        if !result.isClean {
            let count = result.findings.count(where: \.isError)
            throw CommandExit(
                code: .verificationFailed,
                message:
                    "The repository is damaged: \(count) error\(count == 1 ? "" : "s"); restore what is intact, and make a new snapshot."
            )
        }
    }
}
