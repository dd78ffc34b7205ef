public import JSON

/// How much a line of a plugin matters.
public enum PluginLogLevel: String, Sendable, Hashable, CaseIterable {
    /// For whoever looks for a defect.
    case debug
    /// What happens.
    case info
    /// Something a person should look at.
    case warning
    /// Something failed.
    case error

    /// Takes `warn` and `trace` as well; an unknown word is `info`.
    public init(lenient word: String) {
        switch word {
        case "warn": self = .warning
        case "trace": self = .debug
        case "fatal", "critical": self = .error
        default: self = PluginLogLevel(rawValue: word) ?? .info
        }
    }
}

/// The notification `log` of a plugin.
public struct LogParameters: WireObject {
    /// How much it matters.
    public var level: PluginLogLevel
    /// One line for people.
    public var message: String
    /// The id of the request it belongs to; nil for none.
    public var request: String?

    /// All members.
    public init(level: PluginLogLevel, message: String, request: String? = nil) {
        self.level = level
        self.message = message
        self.request = request
    }

    /// - Throws: `JSONError`.
    public init(_ reader: JSONReader) throws {
        self.init(
            level: PluginLogLevel(lenient: try reader.optionalString("level") ?? "info"),
            message: try reader.string("message"), request: try reader.optionalString("request"))
    }

    /// All members that are set.
    public var encoded: JSONObject {
        var object: JSONObject = ["level": .string(level.rawValue), "message": .string(message)]
        object["request"] = request.map { .string($0) }
        return object
    }
}
