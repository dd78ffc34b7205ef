import JSON

/// Where a secret of a configuration comes from: `{"secret": {"file": …}}`.
enum SecretSource: Sendable, Hashable {
    /// The content of a file, without one line feed at its end.
    case file(String)
    /// A variable in the environment of the host.
    case variable(String)
    /// The standard output of a command, without one line feed at its end.
    case command([String])
    /// What can be read from a descriptor that the host inherited, without one line feed at its end.
    case descriptor(Int32)

    /// - Returns: nil when the value does not name a secret.
    /// - Throws: `JSONError` when it does, wrongly.
    init?(_ value: JSONValue, path: String) throws {
        guard let object = value.objectValue, object.count == 1, let secret = object["secret"]?.objectValue else {
            return nil
        }
        let reader = JSONReader(secret, path: "\(path).secret")
        try reader.rejectUnknown(allowing: ["file", "env", "command", "fd"])
        guard secret.count == 1, let name = secret.names.first else {
            throw JSONError.outOfRange("\(path).secret", mustBe: "an object with one of file, env, command, fd")
        }
        switch name {
        case "file": self = .file(try reader.string("file"))
        case "env": self = .variable(try reader.string("env"))
        case "command": self = .command(try reader.strings("command"))
        default: self = .descriptor(Int32(clamping: try reader.integer("fd", in: 0...1_048_575)))
        }
    }

    /// For messages; holds nothing secret.
    var text: String {
        switch self {
        case .file(let path): "the file \(path)"
        case .variable(let name): "the variable \(name)"
        case .command(let words): "the command \(words.first ?? "")"
        case .descriptor(let number): "descriptor \(number)"
        }
    }
}
