public import JSON

/// `storage.list`: one page of the objects whose key has a prefix.
public enum StorageList: PluginCall {
    /// `storage.list`
    public static let method = PluginMethod.storageList
    /// The parameters.
    public typealias Parameters = StorageListParameters
    /// The result.
    public typealias Response = ListPage
}

/// The parameters of `storage.list`.
public struct StorageListParameters: WireObject {
    /// The beginning of the keys; bytes, not directories.
    public var prefix: KeyPrefix
    /// The most entries in the answer: 1 to 1000.
    public var limit: Int
    /// Where the page begins: the cursor of the page before, nil for the first.
    public var cursor: ListCursor?

    /// The first page, or a later one.
    public init(prefix: KeyPrefix, limit: Int = 1000, cursor: ListCursor? = nil) {
        self.prefix = prefix
        self.limit = limit
        self.cursor = cursor
    }

    /// - Throws: `JSONError`.
    public init(_ reader: JSONReader) throws {
        guard let prefix = KeyPrefix(try reader.string("prefix")) else {
            throw JSONError.outOfRange(reader.path(of: "prefix"), mustBe: "empty or the beginning of a key")
        }
        self.init(
            prefix: prefix, limit: Int(try reader.integer("limit", in: 1...1000)), cursor: try reader.cursor("cursor"))
    }

    /// All members that are set.
    public var encoded: JSONObject {
        var object: JSONObject = ["prefix": .string(prefix.text), "limit": .integer(Int64(limit))]
        object["cursor"] = cursor.map { .string($0.text) }
        return object
    }
}

/// An object in a list.
public struct ListedObject: WireObject {
    /// Its name.
    public var key: ObjectKey
    /// Its size in bytes.
    public var size: Int64
    /// When it was written, in milliseconds since 1970; nil when the store does not say.
    public var modified: Int64?

    /// All members.
    public init(key: ObjectKey, size: Int64, modified: Int64? = nil) {
        self.key = key
        self.size = size
        self.modified = modified
    }

    /// - Throws: `JSONError`; a key outside of the grammar is out of range.
    public init(_ reader: JSONReader) throws {
        self.init(
            key: try reader.key("key"), size: try reader.count("size"), modified: try reader.optionalCount("mtime_ms"))
    }

    /// All members that are set.
    public var encoded: JSONObject {
        var object: JSONObject = ["key": .string(key.text), "size": .integer(size)]
        object["mtime_ms"] = modified.map { .integer($0) }
        return object
    }
}

/// The result of `storage.list`: a page, which may be short or empty even when others follow.
public struct ListPage: WireObject {
    /// The objects.
    public var entries: [ListedObject]
    /// Where the next page begins; nil at the end.
    public var cursor: ListCursor?

    /// A page.
    public init(entries: [ListedObject], cursor: ListCursor? = nil) {
        self.entries = entries
        self.cursor = cursor
    }

    /// - Throws: `JSONError`.
    public init(_ reader: JSONReader) throws {
        self.init(
            entries: try reader.readers("entries").map(ListedObject.init), cursor: try reader.cursor("cursor"))
    }

    /// All members that are set.
    public var encoded: JSONObject {
        var object: JSONObject = ["entries": .array(entries.map { .object($0.encoded) })]
        object["cursor"] = cursor.map { .string($0.text) }
        return object
    }
}
