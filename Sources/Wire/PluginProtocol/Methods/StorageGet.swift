public import JSON

/// `storage.get`: writes an object, or a range of it, to a file or FIFO.
public enum StorageGet: PluginCall {
    /// `storage.get`
    public static let method = PluginMethod.storageGet
    /// The parameters.
    public typealias Parameters = StorageGetParameters
    /// The result.
    public typealias Response = GetResult
}

/// The parameters of `storage.get`.
public struct StorageGetParameters: WireObject {
    /// The name of the object.
    public var key: ObjectKey
    /// Where to write: a path in the spool's `out`, or a FIFO there when the plugin has `get_stream`.
    public var path: SpoolPath
    /// The first byte; nil for 0. Only sent to plugins with `get_range`.
    public var offset: Int64?
    /// The number of bytes; nil for all to the end. A range beyond the end is `invalidRange`, never a short read.
    public var length: Int64?

    /// The whole object, or a range.
    public init(key: ObjectKey, path: SpoolPath, offset: Int64? = nil, length: Int64? = nil) {
        self.key = key
        self.path = path
        self.offset = offset
        self.length = length
    }

    /// - Throws: `JSONError`.
    public init(_ reader: JSONReader) throws {
        self.init(
            key: try reader.key("key"), path: try reader.spoolPath("path"),
            offset: try reader.optionalCount("offset"), length: try reader.optionalCount("length"))
    }

    /// All members that are set.
    public var encoded: JSONObject {
        var object: JSONObject = ["key": .string(key.text), "path": .string(path.text)]
        object["offset"] = offset.map { .integer($0) }
        object["length"] = length.map { .integer($0) }
        return object
    }
}

/// The result of `storage.get`.
public struct GetResult: WireObject {
    /// The number of bytes written.
    public var size: Int64

    /// So many bytes.
    public init(size: Int64) { self.size = size }

    /// - Throws: `JSONError`.
    public init(_ reader: JSONReader) throws { self.init(size: try reader.count("size")) }

    /// All members.
    public var encoded: JSONObject { ["size": .integer(size)] }
}
