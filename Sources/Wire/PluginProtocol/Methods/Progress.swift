public import JSON

/// The notification `progress` of a plugin: how far a request is. At most ten a second are kept.
public struct ProgressParameters: WireObject {
    /// The id of the request; one that is not open is ignored.
    public var request: String
    /// Units done, never decreasing; bytes where there are bytes.
    public var done: Int64
    /// Units in all; nil when not known.
    public var total: Int64?
    /// One line for people.
    public var message: String?

    /// All members.
    public init(request: String, done: Int64, total: Int64? = nil, message: String? = nil) {
        self.request = request
        self.done = done
        self.total = total
        self.message = message
    }

    /// - Throws: `JSONError`.
    public init(_ reader: JSONReader) throws {
        self.init(
            request: try reader.string("request"), done: try reader.count("done"),
            total: try reader.optionalCount("total"), message: try reader.optionalString("message"))
    }

    /// All members that are set.
    public var encoded: JSONObject {
        var object: JSONObject = ["request": .string(request), "done": .integer(done)]
        object["total"] = total.map { .integer($0) }
        object["message"] = message.map { .string($0) }
        return object
    }
}
