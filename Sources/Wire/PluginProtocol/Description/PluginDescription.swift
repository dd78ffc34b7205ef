public import JSON

/// The result of `describe`: what a plugin is, before it knows its configuration.
public struct PluginDescription: WireObject {
    /// The major version of the protocol that the plugin chose.
    public var protocolVersion: Int64
    /// `[a-z0-9][a-z0-9._-]{0,63}`, such as `storage-filesystem`.
    public var name: String
    /// The plugin's own version, 1 to 64 characters without white space.
    public var version: String
    /// At least one. Words that this host does not know are left out.
    public var kinds: [PluginKind]
    /// What it promises.
    public var features: PluginFeatures
    /// What it takes at once.
    public var limits: PluginLimits
    /// What its configuration must look like.
    public var configSchema: ConfigSchema
    /// The events a hook plugin acts on.
    public var hookEvents: [HookEvent]
    /// Names of environment variables the plugin would like to get; the operator decides.
    public var environment: [String]

    /// A description with the defaults of the protocol for what is not named.
    public init(
        name: String, version: String, kinds: [PluginKind], features: PluginFeatures = PluginFeatures(),
        limits: PluginLimits = PluginLimits(), configSchema: ConfigSchema, hookEvents: [HookEvent] = [],
        environment: [String] = [], protocolVersion: Int64 = PluginProtocolVersion.current
    ) {
        self.protocolVersion = protocolVersion
        self.name = name
        self.version = version
        self.kinds = kinds
        self.features = features
        self.limits = limits
        self.configSchema = configSchema
        self.hookEvents = hookEvents
        self.environment = environment
    }

    /// - Throws: `JSONError` for a member outside of its grammar, `ConfigurationError` for a schema that cannot be checked.
    public init(_ reader: JSONReader) throws {
        self.init(
            name: try reader.string("name"), version: try reader.string("version"),
            kinds: try reader.strings("kinds").compactMap(PluginKind.init),
            features: try reader.optionalReader("features").map(PluginFeatures.init) ?? PluginFeatures(),
            limits: try reader.optionalReader("limits").map(PluginLimits.init) ?? PluginLimits(),
            configSchema: try ConfigSchema(try reader.optionalObject("config_schema") ?? [:]),
            hookEvents: (try reader.optionalStrings("hook_events") ?? []).map(HookEvent.init(rawValue:)),
            environment: try reader.optionalStrings("env") ?? [],
            protocolVersion: try reader.integer("protocol", in: 1...1_000_000))
        guard Grammar.isPluginName(name) else {
            throw JSONError.outOfRange(reader.path(of: "name"), mustBe: "1 to 64 of a-z 0-9 . _ -")
        }
        guard Grammar.isWord(version, maximumByteCount: 64) else {
            throw JSONError.outOfRange(reader.path(of: "version"), mustBe: "1 to 64 characters without white space")
        }
        guard !kinds.isEmpty else {
            throw JSONError.outOfRange(reader.path(of: "kinds"), mustBe: "at least one of storage, hook, source")
        }
        guard environment.allSatisfy(Grammar.isEnvironmentName) else {
            throw JSONError.outOfRange(reader.path(of: "env"), mustBe: "a list of names of environment variables")
        }
    }

    /// All members.
    public var encoded: JSONObject {
        [
            "protocol": .integer(protocolVersion), "name": .string(name), "version": .string(version),
            "kinds": .array(kinds.map { .string($0.rawValue) }), "features": .object(features.encoded),
            "limits": .object(limits.encoded), "config_schema": .object(configSchema.json),
            "hook_events": .array(hookEvents.map { .string($0.rawValue) }),
            "env": .array(environment.map { .string($0) }),
        ]
    }
}
