import JSON

/// The verdict on one line that the host read from a plugin's standard output.
///
/// Source: protocol/README.md, rules 11 and 12 of Host robustness.
package enum ServerLine: Sendable, Equatable {
    /// A well-formed response. Whether its id is known is for ``PendingRequests`` to say.
    case response(RPCResponse)
    /// A notification of the given set of names.
    case notification(RPCNotification)
    /// A notification that nobody knows: ignored and counted.
    case unknownNotification(method: String)
    /// A request, which plugins must not send: answered with `methodNotFound`. Nil when its id cannot be echoed.
    case request(id: RequestID?, method: String)
    /// Not a message at all, because it does not start with `{`; the text is made safe and cut at 8 KiB.
    case noise(String)
    /// The plugin broke the protocol.
    case violation(Violation)

    /// What was broken.
    package struct Violation: Sendable, Equatable, CustomStringConvertible {
        /// Completes "the plugin …".
        package let reason: String
        /// The call it concerns, where the line says so.
        package let id: RequestID?

        package init(reason: String, id: RequestID? = nil) {
            self.reason = reason
            self.id = id
        }

        package var description: String { reason }
    }

    /// Judges one line without its LF.
    package static func judge(_ line: [UInt8], knownNotifications: Set<String>) -> ServerLine {
        guard line.first == UInt8(ascii: "{") else {
            let text = PlainText.oneLine(line, maximumByteCount: 8192)
            guard !line.contains(sequence: Array(#"{"jsonrpc""#.utf8)) else {
                return broken("glued a message to other output: is something printed without a line break before it?")
            }
            return .noise(text)
        }
        let message: JSONReader
        do {
            message = try JSONReader(try JSONValue.parse(line, limits: .wire))
        } catch {
            return broken("sent a line that is not a message: \(error)")
        }
        guard message.object["jsonrpc"] == "2.0" else { return broken("sent a message without \"jsonrpc\":\"2.0\"") }
        if message.object["method"] != nil { return call(message, knownNotifications) }
        return response(message)
    }

    private static func call(_ message: JSONReader, _ knownNotifications: Set<String>) -> ServerLine {
        guard let method = message.object["method"]?.stringValue else {
            return broken("sent a message whose 'method' is not a string")
        }
        guard message.object["result"] == nil, message.object["error"] == nil else {
            return broken("sent a message with 'method' and 'result' or 'error'")
        }
        if let id = message.object["id"] {
            return .request(
                id: RequestID(id, acceptsNumbers: true), method: PlainText.oneLine(method, maximumByteCount: 128))
        }
        guard knownNotifications.contains(method) else {
            return .unknownNotification(method: PlainText.oneLine(method, maximumByteCount: 128))
        }
        do {
            return .notification(RPCNotification(method: method, params: try message.optionalObject("params") ?? [:]))
        } catch {
            return broken("sent a notification '\(method)' whose 'params' is not an object")
        }
    }

    private static func response(_ message: JSONReader) -> ServerLine {
        let rawID = message.object["id"]
        guard let id = rawID.flatMap({ RequestID($0) }) else {
            let found = rawID.map { $0.stringValue == nil ? $0.kindName : "a text that is no id" } ?? "no id"
            let said = message.object["error"]?.objectValue?["message"]?.stringValue
            let quote = said.map { " (it says: \(PlainText.oneLine($0, maximumByteCount: 512)))" } ?? ""
            return broken("sent a response with \(found) instead of the string of the request\(quote)")
        }
        switch (message.object["result"], message.object["error"]) {
        case (nil, nil): return broken("sent a response with neither 'result' nor 'error'", id)
        case (.some, .some): return broken("sent a response with both 'result' and 'error'", id)
        case (let result?, nil):
            guard let object = result.objectValue else {
                return broken("sent a 'result' that is \(result.kindName) instead of an object", id)
            }
            return .response(RPCResponse(id: id, outcome: .success(object)))
        case (nil, .some):
            do {
                return .response(RPCResponse(id: id, outcome: .failure(try RPCError(try message.reader("error")))))
            } catch { return broken("sent an error that is not one: \(error)", id) }
        }
    }

    private static func broken(_ reason: String, _ id: RequestID? = nil) -> ServerLine {
        .violation(Violation(reason: reason, id: id))
    }
}

extension [UInt8] {
    /// Whether `needle` occurs; the standard library has this only with regular expressions.
    fileprivate func contains(sequence needle: [UInt8]) -> Bool {
        guard let first = needle.first else { return true }
        var start = startIndex
        while let candidate = self[start...].firstIndex(of: first) {
            if self[candidate...].starts(with: needle) { return true }
            start = candidate + 1
        }
        return false
    }
}
