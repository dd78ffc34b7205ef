public import JSON

/// `source.dump`: writes a dump to a FIFO that the host reads. End-of-file alone is never success: the response is.
public enum SourceDump: PluginCall {
    /// `source.dump`
    public static let method = PluginMethod.sourceDump
    /// The parameters.
    public typealias Parameters = SourceDumpParameters
    /// The result.
    public typealias Response = SourceDumpResult
}

/// The parameters of `source.dump`.
public struct SourceDumpParameters: WireObject {
    /// The run.
    public var run: String
    /// The name of the dump.
    public var name: String
    /// Where to write: a FIFO that the host has open for reading, or a file.
    public var path: SpoolPath
    /// How long the host waits, in milliseconds.
    public var deadlineMilliseconds: Int64
    /// `application` and others; the same members as for hooks.
    public var context: JSONObject

    /// All members.
    public init(run: String, name: String, path: SpoolPath, deadlineMilliseconds: Int64, context: JSONObject = [:]) {
        self.run = run
        self.name = name
        self.path = path
        self.deadlineMilliseconds = deadlineMilliseconds
        self.context = context
    }

    /// - Throws: `JSONError`.
    public init(_ reader: JSONReader) throws {
        self.init(
            run: try reader.text("run", maximumByteCount: 256), name: try reader.text("name", maximumByteCount: 256),
            path: try reader.spoolPath("path"), deadlineMilliseconds: try reader.count("deadline_ms"),
            context: try reader.optionalObject("context") ?? [:])
    }

    /// All members.
    public var encoded: JSONObject {
        [
            "run": .string(run), "name": .string(name), "path": .string(path.text),
            "deadline_ms": .integer(deadlineMilliseconds), "context": .object(context),
        ]
    }
}

/// The result of `source.dump`.
public struct SourceDumpResult: WireObject {
    /// The number of bytes written; the host compares it with what it read.
    public var size: Int64
    /// Their digest, 64 hexadecimal digits; nil when the plugin did not compute it.
    public var sha256: String?
    /// Kept with the snapshot.
    public var metadata: JSONObject?

    /// All members.
    public init(size: Int64, sha256: String? = nil, metadata: JSONObject? = nil) {
        self.size = size
        self.sha256 = sha256
        self.metadata = metadata
    }

    /// - Throws: `JSONError`.
    public init(_ reader: JSONReader) throws {
        self.init(
            size: try reader.count("size"), sha256: try reader.optionalString("sha256"),
            metadata: try reader.optionalObject("metadata"))
    }

    /// All members that are set.
    public var encoded: JSONObject {
        var object: JSONObject = ["size": .integer(size)]
        object["sha256"] = sha256.map { .string($0) }
        object["metadata"] = metadata.map { .object($0) }
        return object
    }
}
