import CJansson

extension JSONValue {
    /// Reads exactly one JSON object or array.
    ///
    /// Refused are: two members of one name, anything after the value, a scalar alone, a byte order mark, comments,
    /// integers beyond Int64, numbers beyond Double, `\u0000`, lone surrogates, invalid UTF-8, raw control characters.
    /// Source: RFC 8259; jansson 2.14, `json_loadb` with `JSON_REJECT_DUPLICATES`.
    ///
    /// - Throws: ``JSONError``: `tooLarge`, `tooDeep`, `malformed`, `duplicateMember`.
    public static func parse(_ bytes: UnsafeRawBufferPointer, limits: JSONLimits = .file) throws -> JSONValue {
        guard bytes.count <= limits.maximumByteCount else {
            throw JSONError.tooLarge(bytes.count, maximum: limits.maximumByteCount)
        }
        guard let base = bytes.baseAddress, !bytes.isEmpty else { throw JSONError.malformed("the text is empty") }
        if limits.requiresLeadingBrace, bytes[0] != UInt8(ascii: "{") {
            throw JSONError.malformed("the first byte is not '{'")
        }
        guard !NestingScan.exceeds(limits.maximumDepth, in: bytes) else {
            throw JSONError.tooDeep(maximum: limits.maximumDepth)
        }
        Jansson.seedOnce
        var failure = json_error_t()
        let flags = Int(JSON_REJECT_DUPLICATES)
        guard let root = json_loadb(base.assumingMemoryBound(to: CChar.self), bytes.count, flags, &failure) else {
            throw Jansson.error(from: failure)
        }
        defer { json_decref(root) }
        return Jansson.value(of: root)
    }

    /// Reads the UTF-8 bytes of one JSON object or array.
    public static func parse(_ bytes: [UInt8], limits: JSONLimits = .file) throws -> JSONValue {
        try bytes.withUnsafeBytes { try parse($0, limits: limits) }
    }

    /// Reads one JSON object or array.
    public static func parse(_ text: String, limits: JSONLimits = .file) throws -> JSONValue {
        var text = text
        return try text.withUTF8 { try parse(UnsafeRawBufferPointer($0), limits: limits) }
    }
}

extension JSONObject {
    /// Reads one JSON object.
    ///
    /// - Throws: ``JSONError`` as ``JSONValue/parse(_:limits:)``, and `wrongType` for an array.
    public static func parse(_ bytes: UnsafeRawBufferPointer, limits: JSONLimits = .file) throws -> JSONObject {
        let value = try JSONValue.parse(bytes, limits: limits)
        guard let object = value.objectValue else {
            throw JSONError.wrongType("text", expected: "an object", found: value.kindName)
        }
        return object
    }
}
