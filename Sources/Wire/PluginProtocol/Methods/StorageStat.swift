public import JSON

/// `storage.stat`: the size of an object; `notFound` only when it is positively absent.
public enum StorageStat: PluginCall {
    /// `storage.stat`
    public static let method = PluginMethod.storageStat
    /// The parameters.
    public typealias Parameters = StorageKeyParameters
    /// The result.
    public typealias Response = ObjectStat
}

/// The parameters of `storage.stat` and `storage.delete`.
public struct StorageKeyParameters: WireObject {
    /// The name of the object.
    public var key: ObjectKey

    /// The name of the object.
    public init(key: ObjectKey) { self.key = key }

    /// - Throws: `JSONError`.
    public init(_ reader: JSONReader) throws { self.init(key: try reader.key("key")) }

    /// All members.
    public var encoded: JSONObject { ["key": .string(key.text)] }
}

/// The result of `storage.stat`.
public struct ObjectStat: WireObject {
    /// The size in bytes.
    public var size: Int64
    /// When it was written, in milliseconds since 1970; nil when the store does not say.
    public var modified: Int64?

    /// All members.
    public init(size: Int64, modified: Int64? = nil) {
        self.size = size
        self.modified = modified
    }

    /// - Throws: `JSONError`.
    public init(_ reader: JSONReader) throws {
        self.init(size: try reader.count("size"), modified: try reader.optionalCount("mtime_ms"))
    }

    /// All members that are set.
    public var encoded: JSONObject {
        var object: JSONObject = ["size": .integer(size)]
        object["mtime_ms"] = modified.map { .integer($0) }
        return object
    }
}
