import JSON

/// One schema within a schema, parsed.
struct SchemaNode: Sendable, Hashable {
    /// What may stand in members that `properties` does not name.
    enum Additional: Sendable, Hashable {
        case anything
        case nothing
        // An array of one, because a struct cannot contain itself.
        case matching([SchemaNode])
    }

    var types: [String] = []
    var required: [String] = []
    var properties: [Property] = []
    var additional = Additional.anything
    var items: [SchemaNode] = []
    var allowed: [JSONValue]?
    var minimum: Double?
    var maximum: Double?
    var lengths = 0...Int.max
    var counts = 0...Int.max
    var pattern: String?
    var defaultValue: JSONValue?
    var isSecret = false

    struct Property: Sendable, Hashable {
        let name: String
        let node: SchemaNode
    }

    private static let typeNames: Set<String> = [
        "null", "boolean", "integer", "number", "string", "array", "object",
    ]
    private static let annotations: Set<String> = [
        "title", "description", "examples", "format", "$schema", "$id", "$comment", "readOnly", "deprecated",
    ]

    init() {}

    init(_ json: JSONValue, path: String) throws {
        guard let object = json.objectValue else { throw ConfigurationError.invalidSchema(path, "must be an object") }
        let reader = JSONReader(object, path: path)
        do {
            for (name, value) in object.members { try read(name, value, reader) }
        } catch let error as JSONError {
            throw ConfigurationError.invalidSchema(error.path, "is not as JSON Schema has it: \(error.message)")
        }
    }

    private mutating func read(_ keyword: String, _ value: JSONValue, _ reader: JSONReader) throws {
        let path = reader.path(of: keyword)
        switch keyword {
        case "type":
            types = try value.arrayValue == nil ? [reader.string(keyword)] : reader.strings(keyword)
            guard Set(types).isSubset(of: Self.typeNames), !types.isEmpty else {
                throw ConfigurationError.invalidSchema(path, "must name types of JSON")
            }
        case "required": required = try reader.strings(keyword)
        case "properties":
            properties = try reader.object(keyword).members.map { member in
                Property(name: member.name, node: try SchemaNode(member.value, path: "\(path).\(member.name)"))
            }
        case "additionalProperties":
            if let flag = value.boolValue {
                additional = flag ? .anything : .nothing
            } else {
                additional = .matching([try SchemaNode(value, path: path)])
            }
        case "items": items = [try SchemaNode(value, path: path)]
        case "enum": allowed = try reader.array(keyword)
        case "minimum": minimum = try number(value, path)
        case "maximum": maximum = try number(value, path)
        case "minLength": lengths = try Self.raise(lengths, Int(reader.count(keyword)), path)
        case "maxLength": lengths = try Self.lower(lengths, Int(reader.count(keyword)), path)
        case "minItems": counts = try Self.raise(counts, Int(reader.count(keyword)), path)
        case "maxItems": counts = try Self.lower(counts, Int(reader.count(keyword)), path)
        case "pattern":
            let text = try reader.string(keyword)
            guard (try? Regex(text)) != nil else {
                throw ConfigurationError.invalidSchema(path, "is not a regular expression")
            }
            pattern = text
        case "default": defaultValue = value
        case "writeOnly": isSecret = try reader.bool(keyword)
        case _ where Self.annotations.contains(keyword): break
        default:
            throw ConfigurationError.invalidSchema(path, "is a keyword that this host does not check; leave it out")
        }
    }

    private func number(_ value: JSONValue, _ path: String) throws -> Double {
        guard let number = value.realValue else { throw ConfigurationError.invalidSchema(path, "must be a number") }
        return number
    }

    private static func raise(_ range: ClosedRange<Int>, _ bound: Int, _ path: String) throws -> ClosedRange<Int> {
        guard bound <= range.upperBound else { throw ConfigurationError.invalidSchema(path, "is above the maximum") }
        return bound...range.upperBound
    }

    private static func lower(_ range: ClosedRange<Int>, _ bound: Int, _ path: String) throws -> ClosedRange<Int> {
        guard bound >= range.lowerBound else { throw ConfigurationError.invalidSchema(path, "is below the minimum") }
        return range.lowerBound...bound
    }
}
