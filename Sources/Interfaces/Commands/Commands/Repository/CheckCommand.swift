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
        discussion: "Ends with 24 when something is missing or damaged. Leftovers of interrupted backups are no damage."
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Flag(name: .customLong("read-data"), help: "Read every pack and prove each blob.") var readData = false

    func run() throws {
        let session = CommandSession(options)
        let result = try session.withHost { host in
            try session.withRepository(host, passwords, lock: .shared, index: false) { destination in
                let terminal = session.terminal
                let check = RepositoryCheck(
                    destination.repository, readData: readData, cancellation: session.cancellation
                ) { progress in
                    terminal.progress("\(progress.phase.rawValue)  \(progress.done)/\(progress.total)")
                }
                let result = try check.run()
                terminal.progress(nil)
                return result
            }
        }
        show(result, session.terminal)
        if !result.isClean {
            let count = result.findings.filter(\.isError).count
            throw CommandExit(
                code: .verificationFailed,
                message:
                    "The repository is damaged: \(count) error\(count == 1 ? "" : "s"); restore what is intact, and make a new snapshot."
            )
        }
    }

    private func show(_ result: RepositoryCheck.Result, _ terminal: Terminal) {
        if terminal.isJSON {
            let findings = result.findings.map { finding -> JSONValue in
                .object(["error": .bool(finding.isError), "message": .string(finding.message)])
            }
            return terminal.result(
                JSONLine.encoded([
                    "message_type": "check", "clean": .bool(result.isClean),
                    "snapshots": .integer(Int64(result.snapshots)),
                    "packs": .integer(Int64(result.packs)), "blobs": .integer(Int64(result.blobs)),
                    "trees": .integer(Int64(result.trees)), "bytes_read": .integer(Int64(clamping: result.bytesRead)),
                    "findings": .array(findings),
                ]))
        }
        for finding in result.findings {
            if finding.isError {
                terminal.result("error: " + Terminal.printable(finding.message))
            } else {
                terminal.remark("note: " + finding.message)
            }
        }
        let read = result.bytesRead > 0 ? ", \(Units.bytes(Int64(clamping: result.bytesRead))) read" : ""
        terminal.result(
            "\(result.snapshots) snapshots, \(result.trees) trees, \(result.packs) packs, \(result.blobs) blobs\(read): \(result.isClean ? "no errors were found" : "errors were found")"
        )
    }
}
