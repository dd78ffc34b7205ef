import Glibc

/// What a plugin says to a person who starts it by hand.
enum Introduction {
    /// The text and exit status, or nil when the plugin is to serve.
    static func answer(to arguments: [String], description: PluginDescription) -> (String, Int32)? {
        if arguments.dropFirst() == ["--version"] { return ("\(description.name) \(description.version)\n", 0) }
        if let first = arguments.dropFirst().first, first == "--help" || first == "-h" {
            return (text(description, program: arguments.first), 0)
        }
        guard getenv("STILLPOINT_PLUGIN") == nil, isatty(0) == 1 else { return nil }
        return (text(description, program: arguments.first), 2)
    }

    private static func text(_ description: PluginDescription, program: String?) -> String {
        let kinds = description.kinds.map(\.rawValue).joined(separator: " and ")
        let program = program ?? description.name
        return """
            \(description.name) \(description.version) is a \(kinds) plugin of Stillpoint.
            The host starts it and speaks JSON-RPC with it on standard input and output; there is nothing to type here.

            See what it says about itself:
              stillpoint plugin describe \(program)
            or without the host:
              printf '%s\\n' '{"jsonrpc":"2.0","id":"1","method":"describe","params":{"protocols":[1]}}' | \(program)

            """
    }
}
