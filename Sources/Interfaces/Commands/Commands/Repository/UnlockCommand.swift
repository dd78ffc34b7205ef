import ArgumentParser
import HostServices
import JSON
import Pipelines
import Repository
import RepositoryFormat
import SnapshotModel

struct UnlockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock", abstract: "Remove locks of processes that are proven dead.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Flag(name: .customLong("remove-all"), help: "Also locks whose holders may be alive; that can destroy data.")
    var removeAll = false

    func run() throws {
        let session = CommandSession(options)
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: nil, index: false) { destination in
                let removed = try destination.repository.unlock(
                    all: removeAll, now: Timestamp(milliseconds: Host.now().milliseconds),
                    hostname: host.pipelines.identity.hostname)
                let left = try destination.repository.locks()
                if session.terminal.isJSON {
                    return session.terminal.result(
                        JSONLine.encoded([
                            "message_type": "unlock", "removed": .integer(Int64(removed.count)),
                            "left": .integer(Int64(left.count)),
                        ]))
                }
                for removed in removed {
                    let lock = removed.lock
                    let proof = removed.proof.map { ": \($0)" } ?? ""
                    session.terminal.result(
                        "removed the lock of process \(lock.pid) on \(lock.hostname) from \(lock.time.text)\(proof)")
                }
                for (_, lock) in left {
                    session.terminal.result(
                        "kept the lock of process \(lock.pid) on \(lock.hostname) from \(lock.time.text)")
                }
                if removed.isEmpty, left.isEmpty { session.terminal.result("there are no locks") }
            }
        }
    }
}
