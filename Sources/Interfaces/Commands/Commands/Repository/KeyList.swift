import ArgumentParser
import HostServices
import JSON
import Repository
import RepositoryFormat
import SnapshotModel

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
