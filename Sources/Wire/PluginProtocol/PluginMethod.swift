/// A row in the table of the methods and notifications of protocol version 1.
public struct PluginMethod: Sendable, Hashable, CustomStringConvertible {
    /// Who sends it.
    public enum Direction: Sendable, Hashable {
        /// A request of the host, answered exactly once.
        case request
        /// A notification of the host.
        case hostNotification
        /// A notification of the plugin.
        case pluginNotification
    }

    /// The name on the wire.
    public let name: String
    /// Who sends it, and whether it is answered.
    public let direction: Direction
    /// The kind of plugin that must have it; nil for all.
    public let kind: PluginKind?
    /// Whether the same call may be sent again when its outcome is not known.
    public let isIdempotent: Bool
    /// Whether a plugin may answer `methodNotFound`.
    public let isOptional: Bool
    /// The time after which the host gives up, whatever the plugin reports; nil where the size of the object or the
    /// operator decides. Source: protocol/README.md, Deadlines.
    public let hardDeadline: Duration?

    private init(
        _ name: String, _ direction: Direction = .request, kind: PluginKind? = nil, isIdempotent: Bool = true,
        isOptional: Bool = false, hardDeadline: Duration? = nil
    ) {
        self.name = name
        self.direction = direction
        self.kind = kind
        self.isIdempotent = isIdempotent
        self.isOptional = isOptional
        self.hardDeadline = hardDeadline
    }

    /// The name.
    public var description: String { name }

    /// Says what the plugin is; no side effects, no configuration.
    public static let describe = PluginMethod("describe", hardDeadline: .seconds(10))
    /// Hands over the configuration; exactly once a process.
    public static let open = PluginMethod("open", isIdempotent: false, hardDeadline: .seconds(60))
    /// Tries connection and permissions.
    public static let check = PluginMethod("check", isOptional: true, hardDeadline: .seconds(60))
    /// Stores an object, whole and durable.
    public static let storagePut = PluginMethod("storage.put", kind: .storage)
    /// Fetches an object or a range of it.
    public static let storageGet = PluginMethod("storage.get", kind: .storage)
    /// Size of an object without opening it.
    public static let storageStat = PluginMethod("storage.stat", kind: .storage, hardDeadline: .seconds(60))
    /// One page of the keys with a prefix.
    public static let storageList = PluginMethod("storage.list", kind: .storage, hardDeadline: .seconds(120))
    /// Removes an object; absent is success.
    public static let storageDelete = PluginMethod("storage.delete", kind: .storage, hardDeadline: .seconds(60))
    /// Runs a hook for an event.
    public static let hookRun = PluginMethod("hook.run", kind: .hook, isIdempotent: false)
    /// Writes a dump.
    public static let sourceDump = PluginMethod("source.dump", kind: .source, isIdempotent: false)
    /// Reads a dump back.
    public static let sourceLoad = PluginMethod("source.load", kind: .source, isIdempotent: false)
    /// Asks to stop a request, which is answered nevertheless.
    public static let cancel = PluginMethod("cancel", .hostNotification)
    /// Tells how far a request is.
    public static let progress = PluginMethod("progress", .pluginNotification)
    /// A line for the log.
    public static let log = PluginMethod("log", .pluginNotification)

    /// Every row, in the order of the specification.
    public static let all: [PluginMethod] = [
        .describe, .open, .check, .storagePut, .storageGet, .storageStat, .storageList, .storageDelete, .hookRun,
        .sourceDump, .sourceLoad, .cancel, .progress, .log,
    ]

    /// The names a host accepts as notifications of a plugin.
    public static let pluginNotificationNames: Set<String> = Set(
        all.filter { $0.direction == .pluginNotification }.map(\.name))
}
