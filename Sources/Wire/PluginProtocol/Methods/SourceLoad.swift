public import JSON

/// `source.load`: reads a dump back from a file or FIFO.
public enum SourceLoad: PluginCall {
    /// `source.load`
    public static let method = PluginMethod.sourceLoad
    /// The parameters.
    public typealias Parameters = SourceLoadParameters
    /// Nothing but success.
    public typealias Response = EmptyObject
}

/// The parameters of `source.load`.
public struct SourceLoadParameters: WireObject {
    /// The run.
    public var run: String
    /// The name of the dump.
    public var name: String
    /// Where to read: a file, or a FIFO that the host writes.
    public var path: SpoolPath
    /// The size of the dump in bytes; fewer is a failure.
    public var size: Int64
    /// `application` and others; the same members as for hooks.
    public var context: JSONObject

    /// All members.
    public init(run: String, name: String, path: SpoolPath, size: Int64, context: JSONObject = [:]) {
        self.run = run
        self.name = name
        self.path = path
        self.size = size
        self.context = context
    }

    /// - Throws: `JSONError`.
    public init(_ reader: JSONReader) throws {
        self.init(
            run: try reader.text("run", maximumByteCount: 256), name: try reader.text("name", maximumByteCount: 256),
            path: try reader.spoolPath("path"), size: try reader.count("size"),
            context: try reader.optionalObject("context") ?? [:])
    }

    /// All members.
    public var encoded: JSONObject {
        [
            "run": .string(run), "name": .string(name), "path": .string(path.text), "size": .integer(size),
            "context": .object(context),
        ]
    }
}
