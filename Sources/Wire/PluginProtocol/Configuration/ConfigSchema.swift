public import JSON

/// What a plugin's configuration must look like: a subset of JSON Schema draft-07 that a host can check completely.
///
/// Checked: `type`, `required`, `properties`, `additionalProperties` (true, false or a schema), `items`, `enum`,
/// `minimum`, `maximum`, `minLength`, `maxLength`, `minItems`, `maxItems`, `pattern`. Used: `default`, `writeOnly` (a
/// secret). Ignored: `title`, `description`, `examples`, `format`, `$schema`, `$id`, `$comment`, `readOnly`,
/// `deprecated`. Anything else is refused, because a rule that nobody checks is worse than none.
public struct ConfigSchema: Sendable, Hashable {
    /// The schema as the plugin wrote it.
    public let json: JSONObject
    let root: SchemaNode

    /// - Throws: ``ConfigurationError`` `invalidSchema`, naming the place in the schema.
    public init(_ json: JSONObject) throws {
        self.json = json
        root = try SchemaNode(.object(json), path: "config_schema")
    }

    /// A schema that takes every object.
    public static let anything = ConfigSchema()
    private init() {
        json = [:]
        root = SchemaNode()
    }

    /// Merges the defaults into `config` and checks the result.
    ///
    /// - Returns: the configuration as the plugin is to get it.
    /// - Throws: ``ConfigurationError`` `invalidConfiguration` with everything that is wrong.
    public func resolve(_ config: JSONObject, path: String = "config") throws -> JSONObject {
        let merged = root.mergingDefaults(into: .object(config))
        var problems: [ConfigurationError.Problem] = []
        root.check(merged, path: path, into: &problems)
        guard problems.isEmpty else { throw ConfigurationError.invalidConfiguration(problems) }
        return merged.objectValue ?? config
    }

    /// Every string in a `writeOnly` member: what must not appear in logs or error texts.
    public func secrets(in config: JSONObject) -> [String] {
        var secrets: [String] = []
        root.visitSecrets(.object(config)) { value in Self.collectStrings(value, into: &secrets) }
        return secrets
    }

    /// `config` with every `writeOnly` member replaced by `***`.
    public func redacted(_ config: JSONObject) -> JSONObject {
        root.redacting(.object(config)).objectValue ?? [:]
    }

    private static func collectStrings(_ value: JSONValue, into strings: inout [String]) {
        switch value {
        case .string(let text): if !text.isEmpty { strings.append(text) }
        case .array(let elements): for element in elements { collectStrings(element, into: &strings) }
        case .object(let object): for member in object.members { collectStrings(member.value, into: &strings) }
        default: break
        }
    }
}
