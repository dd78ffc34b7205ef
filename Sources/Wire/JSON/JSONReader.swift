/// Reads the members of an object with their types; every error names the member by its path.
///
/// `null` counts as absent for optional members and as the wrong type for required ones. Members that nobody reads are
/// ignored unless ``rejectUnknown(allowing:)`` is called.
public struct JSONReader: Sendable {
    /// The object that is read.
    public let object: JSONObject
    /// The path of the object: `params.spool`; empty at the top.
    public let path: String

    /// Reads `object`, found at `path`.
    public init(_ object: JSONObject, path: String = "") {
        self.object = object
        self.path = path
    }

    /// - Throws: ``JSONError`` `wrongType` when the value is not an object.
    public init(_ value: JSONValue, path: String = "") throws {
        guard let object = value.objectValue else {
            throw JSONError.wrongType(path.isEmpty ? "value" : path, expected: "an object", found: value.kindName)
        }
        self.init(object, path: path)
    }

    /// The path of a member, for errors of one's own.
    public func path(of name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    /// - Throws: `missingMember` when there is no such member.
    public func value(_ name: String) throws -> JSONValue {
        guard let value = object[name] else { throw JSONError.missingMember(path(of: name)) }
        return value
    }

    /// True when the member is there and not `null`.
    public func contains(_ name: String) -> Bool { object[name].map { !$0.isNull } ?? false }

    /// - Throws: `unknownMember` for the first member that is not in `names`.
    public func rejectUnknown(allowing names: [String]) throws {
        for name in object.names where !names.contains(name) {
            throw JSONError.unknownMember(path(of: name), known: names)
        }
    }

    private func read<Result>(_ name: String, _ expected: String, _ convert: (JSONValue) -> Result?) throws -> Result {
        let value = try value(name)
        guard let result = convert(value) else {
            throw JSONError.wrongType(path(of: name), expected: expected, found: value.kindName)
        }
        return result
    }
}

extension JSONReader {
    /// A required string.
    public func string(_ name: String) throws -> String { try read(name, "a string", \.stringValue) }
    /// A string, or nil when the member is absent or `null`.
    public func optionalString(_ name: String) throws -> String? { contains(name) ? try string(name) : nil }

    /// A required truth value.
    public func bool(_ name: String) throws -> Bool { try read(name, "true or false", \.boolValue) }
    /// A truth value, or nil when the member is absent or `null`.
    public func optionalBool(_ name: String) throws -> Bool? { contains(name) ? try bool(name) : nil }

    /// A required integer within `range`; `1.0` is not an integer.
    ///
    /// - Throws: `missingMember`, `wrongType`, `outOfRange`.
    public func integer(_ name: String, in range: ClosedRange<Int64> = JSONLimits.exactIntegers) throws -> Int64 {
        let number = try read(name, "an integer", \.integerValue)
        guard range.contains(number) else {
            throw JSONError.outOfRange(
                path(of: name), mustBe: "an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
    /// An integer within `range`, or nil when the member is absent or `null`.
    public func optionalInteger(
        _ name: String, in range: ClosedRange<Int64> = JSONLimits.exactIntegers
    ) throws -> Int64? {
        contains(name) ? try integer(name, in: range) : nil
    }
    /// A required size, offset or count: 0 to 2^53 − 1.
    public func count(_ name: String) throws -> Int64 { try integer(name, in: JSONLimits.wireIntegers) }
    /// A size, offset or count, or nil when the member is absent or `null`.
    public func optionalCount(_ name: String) throws -> Int64? {
        try optionalInteger(name, in: JSONLimits.wireIntegers)
    }

    /// A required object.
    public func object(_ name: String) throws -> JSONObject { try read(name, "an object", \.objectValue) }
    /// An object, or nil when the member is absent or `null`.
    public func optionalObject(_ name: String) throws -> JSONObject? { contains(name) ? try object(name) : nil }
    /// A reader of a required object.
    public func reader(_ name: String) throws -> JSONReader { JSONReader(try object(name), path: path(of: name)) }
    /// A reader of an object, or nil when the member is absent or `null`.
    public func optionalReader(_ name: String) throws -> JSONReader? { contains(name) ? try reader(name) : nil }

    /// A required array.
    public func array(_ name: String) throws -> [JSONValue] { try read(name, "an array", \.arrayValue) }
    /// An array, or nil when the member is absent or `null`.
    public func optionalArray(_ name: String) throws -> [JSONValue]? { contains(name) ? try array(name) : nil }

    /// A required array of strings.
    public func strings(_ name: String) throws -> [String] {
        try array(name).enumerated().map { index, value in
            guard let text = value.stringValue else {
                throw JSONError.wrongType("\(path(of: name))[\(index)]", expected: "a string", found: value.kindName)
            }
            return text
        }
    }
    /// An array of strings, or nil when the member is absent or `null`.
    public func optionalStrings(_ name: String) throws -> [String]? { contains(name) ? try strings(name) : nil }

    /// A required array of objects, each with a reader whose path has its index: `entries[3]`.
    public func readers(_ name: String) throws -> [JSONReader] {
        try array(name).enumerated().map { try JSONReader($1, path: "\(path(of: name))[\($0)]") }
    }
}
