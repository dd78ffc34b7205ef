package import JSON

/// Where the password of a repository comes from. The password itself is never part of the model.
package enum PasswordSource: Sendable, Hashable {
    /// The first line of a file, by its absolute path.
    case file(String)
    /// The standard output of a command; the program and its arguments, at least the program.
    case command([String])
    /// Asked for, or taken from the environment.
    case none

    /// `{"file": …}`, `{"command": […]}` or `{}`.
    package var json: JSONObject {
        switch self {
        case .file(let path): ["file": .string(path)]
        case .command(let arguments): ["command": .array(arguments.map { .string($0) })]
        case .none: [:]
        }
    }

    /// Reads what ``json`` writes.
    ///
    /// - Throws: ``SnapshotModelError`` `malformedDocument` for anything else, an empty command and both at once.
    package init(json: JSONObject) throws {
        let reader = JSONReader(json, path: "password")
        do {
            try reader.rejectUnknown(allowing: ["file", "command"])
            let file = try reader.optionalString("file")
            let command = try reader.optionalStrings("command")
            switch (file, command) {
            case (let file?, nil): self = .file(file)
            case (nil, let command?) where !command.isEmpty: self = .command(command)
            case (nil, nil): self = .none
            default: throw JSONError.outOfRange("password", mustBe: "a file or a command that is not empty")
            }
        } catch {
            throw SnapshotModelError.malformedDocument("The password source", cause: error)
        }
    }
}
