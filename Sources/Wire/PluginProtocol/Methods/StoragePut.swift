public import JSON

/// `storage.put`: stores a file as an object, visible only when whole and durable.
public enum StoragePut: PluginCall {
    /// `storage.put`
    public static let method = PluginMethod.storagePut
    /// The parameters.
    public typealias Parameters = StoragePutParameters
    /// The result.
    public typealias Response = PutResult
}

/// The parameters of `storage.put`.
public struct StoragePutParameters: WireObject {
    /// The name of the object.
    public var key: ObjectKey
    /// Its size in bytes; the plugin checks that it stored exactly so many.
    public var size: Int64
    /// The digest of its bytes, 64 hexadecimal digits.
    public var sha256: String
    /// A regular file of the host's, 0400; may be linked, must not be changed, renamed or removed.
    public var path: SpoolPath
    /// Whether an object that is there already is kept: the same bytes are success, others a `conflict`.
    public var ifAbsent: Bool

    /// All members.
    public init(key: ObjectKey, size: Int64, sha256: String, path: SpoolPath, ifAbsent: Bool = false) {
        self.key = key
        self.size = size
        self.sha256 = sha256
        self.path = path
        self.ifAbsent = ifAbsent
    }

    /// - Throws: `JSONError`.
    public init(_ reader: JSONReader) throws {
        self.init(
            key: try reader.key("key"), size: try reader.count("size"),
            sha256: try reader.text("sha256", maximumByteCount: 64), path: try reader.spoolPath("path"),
            ifAbsent: try reader.optionalBool("if_absent") ?? false)
    }

    /// All members; `if_absent` only when true.
    public var encoded: JSONObject {
        var object: JSONObject = [
            "key": .string(key.text), "size": .integer(size), "sha256": .string(sha256), "path": .string(path.text),
        ]
        if ifAbsent { object["if_absent"] = true }
        return object
    }
}

/// The result of `storage.put`.
public struct PutResult: WireObject {
    /// The size of the stored object in bytes.
    public var size: Int64
    /// True when `if_absent` found the same bytes there already.
    public var existed: Bool

    /// All members.
    public init(size: Int64, existed: Bool = false) {
        self.size = size
        self.existed = existed
    }

    /// - Throws: `JSONError`.
    public init(_ reader: JSONReader) throws {
        self.init(size: try reader.count("size"), existed: try reader.optionalBool("existed") ?? false)
    }

    /// All members; `existed` only when true.
    public var encoded: JSONObject {
        existed ? ["size": .integer(size), "existed": true] : ["size": .integer(size)]
    }
}
