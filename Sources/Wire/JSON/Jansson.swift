import CJansson

/// The border to libjansson: values are copied across and released at once, so that no `json_t` has two owners.
enum Jansson {
    /// Seeds the hash tables; must happen once, before any other thread may do it. Source: jansson, `json_object_seed`.
    static let seedOnce: Void = json_object_seed(0)

    /// Copies a parsed value. The depth was checked before parsing.
    static func value(of json: UnsafeMutablePointer<json_t>) -> JSONValue {
        switch json.pointee.type {
        case JSON_OBJECT: return .object(object(of: json))
        case JSON_ARRAY:
            let count = json_array_size(json)
            var elements: [JSONValue] = []
            elements.reserveCapacity(count)
            for index in 0..<count {
                if let element = json_array_get(json, index) { elements.append(value(of: element)) }
            }
            return .array(elements)
        case JSON_STRING: return .string(text(json_string_value(json), json_string_length(json)))
        case JSON_INTEGER: return .integer(json_integer_value(json))
        case JSON_REAL: return .real(json_real_value(json))
        case JSON_TRUE: return .bool(true)
        case JSON_FALSE: return .bool(false)
        default: return .null
        }
    }

    private static func object(of json: UnsafeMutablePointer<json_t>) -> JSONObject {
        var members: [(name: String, value: JSONValue)] = []
        members.reserveCapacity(json_object_size(json))
        var iterator = json_object_iter(json)
        while let current = iterator {
            if let member = json_object_iter_value(current) {
                let name = text(json_object_iter_key(current), json_object_iter_key_len(current))
                members.append((name, value(of: member)))
            }
            iterator = json_object_iter_next(json, current)
        }
        return JSONObject(uniqueMembers: members)
    }

    private static func text(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
        guard let start else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// Turns jansson's report into ours. What jansson quotes of the input ("near '…'") is left out: it may be a secret.
    static func error(from failure: json_error_t) -> JSONError {
        var failure = failure
        let reason = withUnsafeBytes(of: &failure.text) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }.dropLast(1), as: UTF8.self)
        }
        let code = withUnsafeBytes(of: &failure.text) { $0.last ?? 0 }
        let plain = reason.firstRange(ofPlain: " near ").map { String(reason[..<$0]) } ?? reason
        let place = "\(plain) (line \(failure.line), column \(failure.column), byte \(failure.position))"
        return UInt32(code) == json_error_duplicate_key.rawValue ? .duplicateMember(place) : .malformed(place)
    }
}

extension String {
    /// The start of the first occurrence of `needle`; the standard library has this only with regular expressions.
    fileprivate func firstRange(ofPlain needle: String) -> String.Index? {
        indices.first { self[$0...].hasPrefix(needle) }
    }
}
