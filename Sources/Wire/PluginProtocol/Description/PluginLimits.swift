public import JSON

/// How much a plugin takes at once.
public struct PluginLimits: WireObject {
    /// Requests that may be outstanding in one process: 1 (the default) to 256.
    public var maxInflight: Int
    /// Processes that may work on one store at once: 1 (the default) to 256.
    public var maxInstances: Int
    /// The largest object, in bytes; nil for no limit of the plugin's own.
    public var maxObjectSize: Int64?

    /// The defaults, but for what is named.
    public init(maxInflight: Int = 1, maxInstances: Int = 1, maxObjectSize: Int64? = nil) {
        self.maxInflight = maxInflight
        self.maxInstances = maxInstances
        self.maxObjectSize = maxObjectSize
    }

    /// - Throws: `JSONError` when a limit is outside of its range.
    public init(_ reader: JSONReader) throws {
        self.init(
            maxInflight: Int(try reader.optionalInteger("max_inflight", in: 1...256) ?? 1),
            maxInstances: Int(try reader.optionalInteger("max_instances", in: 1...256) ?? 1),
            maxObjectSize: try reader.optionalCount("max_object_size"))
    }

    /// All limits that are set.
    public var encoded: JSONObject {
        var object: JSONObject = [
            "max_inflight": .integer(Int64(maxInflight)), "max_instances": .integer(Int64(maxInstances)),
        ]
        object["max_object_size"] = maxObjectSize.map { .integer($0) }
        return object
    }
}
