package import JSON

/// The verdict on one line that a server (a plugin, or the host behind `stillpoint rpc`) read from its client.
package enum ClientLine: Sendable, Equatable {
    /// A call; it must be answered exactly once.
    case request(RPCRequest)
    /// A message without id; it must not be answered.
    case notification(RPCNotification)
    /// Not a request: to be answered with this error, under the id when the line had a good one.
    case invalid(RPCResponse)

    /// Judges one line without its LF.
    ///
    /// - Parameter acceptsNumbers: whether an id may be an integer, as in the client API.
    package static func judge(_ line: [UInt8], limits: JSONLimits = .wire, acceptsNumbers: Bool = false) -> ClientLine {
        let value: JSONValue
        do {
            var limits = limits
            limits.requiresLeadingBrace = false
            value = try JSONValue.parse(line, limits: limits)
        } catch { return refused(.parseError, "\(error)") }
        guard let message = value.objectValue else {
            return refused(.invalidRequest, "a message must be one object; batches are not supported")
        }
        let rawID = message["id"]
        let id = rawID.flatMap { RequestID($0, acceptsNumbers: acceptsNumbers) }
        if rawID != nil, id == nil {
            return refused(
                .invalidRequest,
                acceptsNumbers
                    ? "'id' must be an integer, or a string of 1 to 64 of A-Z a-z 0-9 . _ -"
                    : "'id' must be a string of 1 to 64 of A-Z a-z 0-9 . _ -")
        }
        guard message["jsonrpc"] == "2.0" else {
            return refused(.invalidRequest, "'jsonrpc' must be \"2.0\"", id: id)
        }
        guard let method = message["method"]?.stringValue else {
            return refused(.invalidRequest, "'method' must be a string", id: id)
        }
        let params = message["params"] ?? [:]
        guard let named = params.objectValue else {
            return refused(.invalidRequest, "'params' must be an object", id: id)
        }
        guard let id else { return .notification(RPCNotification(method: method, params: named)) }
        return .request(RPCRequest(id: id, method: method, params: named))
    }

    private static func refused(_ code: RPCErrorCode, _ message: String, id: RequestID? = nil) -> ClientLine {
        .invalid(RPCResponse(id: id ?? .unknown, outcome: .failure(RPCError(code, message))))
    }
}
