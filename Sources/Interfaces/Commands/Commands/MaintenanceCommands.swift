import Pipelines
import ArgumentParser
import HostServices
import JSON
import Repository
import RepositoryFormat
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
                for lock in removed {
                    session.terminal.result(
                        "removed the lock of process \(lock.pid) on \(lock.hostname) from \(lock.time.text)")
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

struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Passwords that open the repository.", subcommands: [KeyList.self, KeyAdd.self])
}

struct KeyList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the keys; * marks the one in use.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions

    func run() throws {
        let session = CommandSession(options)
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: nil, index: false) { destination in
                let keys = try destination.repository.keys()
                if session.terminal.isJSON {
                    let list = keys.map { id, key -> JSONValue in
                        .object([
                            "id": .string(id.hexadecimal), "current": .bool(id == destination.repository.keyID),
                            "user": .string(key.username), "host": .string(key.hostname),
                            "created": .string(key.created.text),
                        ])
                    }
                    return session.terminal.result(JSONLine.value(.array(list)))
                }
                var table = Table(["", "ID", "USER", "HOST", "CREATED"])
                for (id, key) in keys {
                    table.add([
                        id == destination.repository.keyID ? "*" : " ", id.short, key.username, key.hostname,
                        String(key.created.text.prefix(19)),
                    ])
                }
                table.lines.map(Terminal.printable).forEach(session.terminal.result)
            }
        }
    }
}

struct KeyAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a password that opens the repository, too.")

    @OptionGroup var options: GlobalOptions
    @OptionGroup var passwords: PasswordOptions
    @Option(
        name: .customLong("new-password-file"),
        help: ArgumentHelp("Read the new password from a file.", valueName: "file")) var newPasswordFile: String?

    func run() throws {
        let session = CommandSession(options)
        try session.withHost { host in
            try session.withRepository(host, passwords, lock: .shared, index: false) { destination in
                let resolver = PasswordResolver(
                    file: newPasswordFile, command: nil, environment: Environment([:]),
                    prompt: { Terminal.ask("new " + $0, echo: false) })
                let id = try destination.repository.addKey(
                    password: resolver.password(confirming: true), identity: host.pipelines.identity,
                    now: Timestamp(milliseconds: Host.now().milliseconds))
                if session.terminal.isJSON {
                    session.terminal.result(
                        JSONLine.encoded(["message_type": "key_added", "id": .string(id.hexadecimal)]))
                } else {
                    session.terminal.result("added key \(id.short)")
                }
            }
        }
    }
}
