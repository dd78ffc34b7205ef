package import JSON

/// A call that gets exactly one response.
package struct RPCRequest: Hashable, Sendable {
    package let id: RequestID
    package let method: String
    /// By name; empty when the message had none.
    package let params: JSONObject

    package init(id: RequestID, method: String, params: JSONObject = [:]) {
        self.id = id
        self.method = method
        self.params = params
    }
}

/// A message that gets no response.
package struct RPCNotification: Hashable, Sendable {
    package let method: String
    /// By name; empty when the message had none.
    package let params: JSONObject

    package init(method: String, params: JSONObject = [:]) {
        self.method = method
        self.params = params
    }
}

/// The one answer to a request.
package struct RPCResponse: Hashable, Sendable {
    package let id: RequestID
    /// The result, always an object, or the error.
    package let outcome: Result<JSONObject, RPCError>

    package init(id: RequestID, outcome: Result<JSONObject, RPCError>) {
        self.id = id
        self.outcome = outcome
    }
}
