import PluginKit

/// The commands of the operator, by event.
struct HookConfiguration: Sendable {
    /// What runs for one event.
    struct Hook: Sendable {
        let arguments: [String]
        let timeout: Duration
        let environment: [String: String]
        let directory: String?
    }

    let hooks: [HookEvent: Hook]
    /// Where a command may leave its state.
    let temporaryDirectory: String

    /// Reads a configuration that was checked against the schema.
    init(_ parameters: OpenParameters) throws {
        temporaryDirectory = parameters.spool.temporary.text
        let events = try JSONReader(parameters.config, path: "config").reader("events")
        var hooks: [HookEvent: Hook] = [:]
        for name in events.object.names {
            let reader = try events.reader(name)
            let variables = try reader.optionalReader("env")
            hooks[HookEvent(rawValue: name)] = Hook(
                arguments: try reader.strings("command"), timeout: .milliseconds(try reader.count("timeout_ms")),
                environment: try variables.map { env in
                    Dictionary(try env.object.names.map { ($0, try env.string($0)) }) { $1 }
                } ?? [:], directory: try reader.optionalString("directory"))
        }
        self.hooks = hooks
    }
}
