import JSON

/// The stricter form of the host's own lines, a promise that lets a plugin read them with regular expressions.
///
/// Members stand in the order jsonrpc, id, method, params; compact; ASCII; in `params` scalars first, objects and arrays
/// last; no member of `params` is called like a member of the message; no fraction or exponent anywhere; the whole line
/// fits a pipe. Source: protocol/README.md, Canonical profile.
enum CanonicalProfile {
    private static let reservedNames: Set<String> = ["jsonrpc", "id", "method", "params"]

    static func params(_ params: JSONObject, method: String) throws -> JSONObject {
        for (name, value) in params.members {
            guard !reservedNames.contains(name) else { throw FramingError.reservedName(name, method: method) }
            try checkNumbers(value, method: method)
        }
        let isScalar = { (value: JSONValue) in value.objectValue == nil && value.arrayValue == nil }
        return JSONObject(
            params.members.filter { isScalar($0.value) } + params.members.filter { !isScalar($0.value) })
    }

    private static func checkNumbers(_ value: JSONValue, method: String) throws {
        switch value {
        case .real: throw FramingError.fraction(method: method)
        case .integer(let number) where !JSONLimits.exactIntegers.contains(number):
            throw FramingError.fraction(method: method)
        case .array(let elements): for element in elements { try checkNumbers(element, method: method) }
        case .object(let object): for member in object.members { try checkNumbers(member.value, method: method) }
        default: break
        }
    }

    static func line(_ message: JSONObject, method: String, maximumByteCount: Int) throws -> [UInt8] {
        var line = try message.encoded(ascii: true)
        line.append(UInt8(ascii: "\n"))
        guard line.count <= maximumByteCount else {
            throw FramingError.lineTooLong(line.count, maximum: maximumByteCount, method: method)
        }
        return line
    }
}

extension RPCRequest {
    /// The line in the canonical profile, its LF included.
    ///
    /// - Throws: ``FramingError`` when `params` cannot be written in the profile or the line is longer than
    ///   `maximumByteCount`; `JSONError` when a value has no JSON text.
    package func canonicalLine(maximumByteCount: Int = WireLimits.requestLine) throws -> [UInt8] {
        let params = try CanonicalProfile.params(params, method: method)
        return try CanonicalProfile.line(
            ["jsonrpc": "2.0", "id": id.jsonValue, "method": .string(method), "params": .object(params)],
            method: method, maximumByteCount: maximumByteCount)
    }
}

extension RPCNotification {
    /// The line in the canonical profile, its LF included; throws like ``RPCRequest/canonicalLine(maximumByteCount:)``.
    package func canonicalLine(maximumByteCount: Int = WireLimits.requestLine) throws -> [UInt8] {
        let params = try CanonicalProfile.params(params, method: method)
        return try CanonicalProfile.line(
            ["jsonrpc": "2.0", "method": .string(method), "params": .object(params)],
            method: method, maximumByteCount: maximumByteCount)
    }
}

extension RPCResponse {
    /// The line of a response, its LF included.
    ///
    /// - Throws: ``FramingError`` `lineTooLong`, or `JSONError` when the result has no JSON text.
    package func line(maximumByteCount: Int = WireLimits.responseLine) throws -> [UInt8] {
        var message: JSONObject = ["jsonrpc": "2.0", "id": id.jsonValue]
        switch outcome {
        case .success(let result): message["result"] = .object(result)
        case .failure(let error): message["error"] = .object(error.encoded)
        }
        return try CanonicalProfile.line(message, method: "response", maximumByteCount: maximumByteCount)
    }
}
