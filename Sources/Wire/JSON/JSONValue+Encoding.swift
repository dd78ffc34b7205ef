import CJansson

extension JSONValue {
    /// The value as compact JSON text, members in their order.
    ///
    /// - Parameter ascii: whether characters beyond ASCII are written as `\u` escapes; always so on the wire.
    /// - Throws: ``JSONError``: `unencodable` for a scalar alone, a NaN, an infinity or a NUL character; `tooDeep` beyond
    ///   128 levels.
    public func encoded(ascii: Bool = false) throws -> [UInt8] {
        Jansson.seedOnce
        guard objectValue != nil || arrayValue != nil else {
            throw JSONError.unencodable("\(kindName) cannot stand alone")
        }
        let root = try Jansson.json(of: self, depth: 1)
        defer { json_decref(root) }
        let flags = Int(JSON_COMPACT) | (ascii ? Int(JSON_ENSURE_ASCII) : 0)
        var capacity = 512
        while true {
            var needed = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
                needed = buffer.withMemoryRebound(to: CChar.self) {
                    json_dumpb(root, $0.baseAddress, $0.count, flags)
                }
                count = min(needed, capacity)
            }
            if needed == 0 { throw JSONError.unencodable("out of memory") }
            if needed <= capacity { return bytes }
            capacity = needed
        }
    }

    /// The value as a compact JSON string. The same rules as for ``encoded(ascii:)``.
    public func encodedText(ascii: Bool = false) throws -> String {
        String(decoding: try encoded(ascii: ascii), as: UTF8.self)
    }
}

extension JSONObject {
    /// The object as compact JSON text. The same rules as for ``JSONValue/encoded(ascii:)``.
    public func encoded(ascii: Bool = false) throws -> [UInt8] { try JSONValue.object(self).encoded(ascii: ascii) }
}

extension Jansson {
    private static let maximumDepth = 128

    /// Builds a value that the caller owns.
    static func json(of value: JSONValue, depth: Int) throws -> UnsafeMutablePointer<json_t> {
        guard depth <= maximumDepth else { throw JSONError.tooDeep(maximum: maximumDepth) }
        switch value {
        case .null: return try owned(json_null())
        case .bool(let flag): return try owned(flag ? json_true() : json_false())
        case .integer(let number): return try owned(json_integer(number))
        case .real(let number):
            guard number.isFinite else { throw JSONError.unencodable("a number is not finite") }
            return try owned(json_real(number))
        case .string(let text):
            return try withBytes(of: text) { start, count in try owned(json_stringn_nocheck(start, count)) }
        case .array(let elements):
            let array = try owned(json_array())
            do {
                for element in elements {
                    // json_array_append_new takes the element over, also when it fails.
                    let added = json_array_append_new(array, try json(of: element, depth: depth + 1))
                    guard added == 0 else { throw JSONError.unencodable("out of memory") }
                }
            } catch {
                json_decref(array)
                throw error
            }
            return array
        case .object(let members):
            let object = try owned(json_object())
            do {
                for (name, value) in members.members {
                    let added = try withBytes(of: name) { start, count in
                        json_object_setn_new_nocheck(object, start, count, try json(of: value, depth: depth + 1))
                    }
                    guard added == 0 else { throw JSONError.unencodable("out of memory") }
                }
            } catch {
                json_decref(object)
                throw error
            }
            return object
        }
    }

    private static func owned(_ json: UnsafeMutablePointer<json_t>?) throws -> UnsafeMutablePointer<json_t> {
        guard let json else { throw JSONError.unencodable("out of memory") }
        return json
    }

    private static func withBytes<Result>(
        of text: String, _ body: (UnsafePointer<CChar>, Int) throws -> Result
    ) throws -> Result {
        var text = text
        return try text.withUTF8 { bytes in
            guard !bytes.contains(0) else { throw JSONError.unencodable("a string contains U+0000") }
            return try bytes.withMemoryRebound(to: CChar.self) { characters in
                guard let base = characters.baseAddress else { return try body("", 0) }
                return try body(base, characters.count)
            }
        }
    }
}
