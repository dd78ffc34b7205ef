public import JSON

/// The error object of a response.
public struct RPCError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The class of the error.
    public let code: RPCErrorCode
    /// One line for people.
    public let message: String
    /// Further members; known are `retryable`, `retry_after_ms`, `detail`.
    public let data: JSONObject?

    /// - Parameter message: line breaks and control characters in it become visible escapes; cut after 4096 bytes.
    public init(_ code: RPCErrorCode, _ message: String, data: JSONObject? = nil) {
        self.code = code
        self.message = PlainText.oneLine(message, maximumByteCount: 4096)
        self.data = data
    }

    /// Reads the `error` member of a response.
    ///
    /// - Throws: `JSONError` when `code` is not an integer, `message` not a string, or `data` neither absent nor an object.
    package init(_ reader: JSONReader) throws {
        self.init(
            RPCErrorCode(rawValue: try reader.integer("code", in: -0x8000_0000...0x7FFF_FFFF)),
            try reader.string("message"), data: try reader.optionalObject("data"))
    }

    /// The `error` member of a response.
    package var encoded: JSONObject {
        var object: JSONObject = ["code": .integer(code.rawValue), "message": .string(message)]
        if let data { object["data"] = .object(data) }
        return object
    }

    /// Whether the plugin says that trying again may help; nil when it says nothing.
    public var retryable: Bool? { data?["retryable"]?.boolValue }
    /// How long to wait before trying again.
    public var retryAfter: Duration? {
        guard let milliseconds = data?["retry_after_ms"]?.integerValue,
            JSONLimits.wireIntegers.contains(milliseconds)
        else { return nil }
        return .milliseconds(milliseconds)
    }
    /// More for people: several lines, the output of a tool.
    public var detail: String? { data?["detail"]?.stringValue }

    /// `not_found (1): there is no object 'index/1'`
    public var description: String { "\(code) (\(code.rawValue)): \(message)" }
}
