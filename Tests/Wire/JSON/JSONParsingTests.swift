import JSON
import Testing

@Suite struct `JSON parsing` {
    private func code(_ text: String, limits: JSONLimits = .wire) -> JSONError.Code? {
        code(Array(text.utf8), limits: limits)
    }

    private func code(_ bytes: [UInt8], limits: JSONLimits = .wire) -> JSONError.Code? {
        do {
            _ = try JSONValue.parse(bytes, limits: limits)
            return nil
        } catch { return (error as? JSONError)?.code }
    }

    @Test(arguments: [
        "{\"a\":1} x", "{\"a\":1}{\"b\":2}", "{\"a\":9223372036854775808}", "{\"a\":1e400}", "{\"a\":NaN}",
        "{\"a\":01}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\u{1}\"}", "{\"a\":\"\n\"}",
        "{\"a\":1,}", "{/* c */}", "{\"a\":1} // c", "\"text\"", "1", "null", "[1]", "", "{", " {}", "{\"a\"}", "{a:1}",
        "\u{FEFF}{}",
    ])
    func `a line that is not one JSON object is refused as malformed`(text: String) {
        #expect(code(text) == .malformed)
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0xAF, 0x22], [0x22, 0x00, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
        ] as [[UInt8]])
    func `bytes that are not UTF-8 text are refused`(string: [UInt8]) {
        #expect(code(Array("{\"a\":".utf8) + string + Array("}".utf8)) == .malformed)
    }

    @Test func `duplicate members are refused, at the top and within`() {
        #expect(code("{\"a\":1,\"a\":1}") == .duplicateMember)
        #expect(code("{\"x\":[{\"a\":1,\"b\":2,\"\\u0061\":3}]}") == .duplicateMember)
    }

    @Test(
        arguments: [
            ("{\"a\":1} \r", ["a": 1]), ("{\"a\":\"\u{7F}\"}", ["a": "\u{7F}"]),
            ("{\"a\":\"\u{2028}\"}", ["a": "\u{2028}"]),
            ("{\"a\":-0}", ["a": 0]), ("{\"a\":1.0}", ["a": .real(1)]), ("{\"a\":1e2}", ["a": .real(100)]),
            ("{\"a\":9223372036854775807}", ["a": 9_223_372_036_854_775_807]),
            ("{\"a\":\"\\u00e9\\ud83d\\ude00\"}", ["a": "é😀"]), ("{}", [:]),
            ("{\"a\":[true,false,null,[]]}", ["a": [true, false, nil, []]]),
        ] as [(String, JSONValue)])
    func `what the specification accepts has this value`(text: String, value: JSONValue) throws {
        #expect(try JSONValue.parse(text, limits: .wire) == value)
    }

    @Test func `1 point 0 is not an integer`() throws {
        let value = try JSONValue.parse("{\"size\":1.0}")
        #expect(value.objectValue?["size"]?.integerValue == nil)
        #expect(throws: JSONError.self) { try JSONReader(value).integer("size") }
    }

    @Test func `depth is counted before parsing, at its edge and outside of strings only`() {
        func nested(_ depth: Int) -> String {
            "{\"a\":" + String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1) + "}"
        }
        #expect(code(nested(32)) == nil)
        #expect(code(nested(33)) == .tooDeep)
        #expect(code("{\"a\":\"" + String(repeating: "[\\\"{", count: 100) + "\"}") == nil)
        #expect(code(String(repeating: "{", count: 1 << 20)) == .tooDeep)
        #expect(code(nested(128), limits: .file) == nil)
        #expect(code(nested(129), limits: .file) == .tooDeep)
    }

    @Test func `size is refused one byte over the limit`() {
        let limits = JSONLimits(maximumByteCount: 16, maximumDepth: 4)
        #expect(code("{\"a\":\"12345678\"}", limits: limits) == nil)
        #expect(code("{\"a\":\"123456789\"}", limits: limits) == .tooLarge)
    }

    @Test func `files may begin with white space and hold an array`() throws {
        #expect(try JSONValue.parse(" \n[1, 2]\n", limits: .file) == [1, 2])
    }

    @Test func `the message says where and never quotes the input`() {
        #expect {
            try JSONValue.parse("{\"password\":\n \"hunter2\" \"x\"}")
        } throws: { error in
            let message = "\(error)"
            return message.contains("line 2") && !message.contains("hunter2") && !message.contains("x\"")
        }
    }

    @Test func `an object of 100,000 members is read and searched`() throws {
        let text = "{" + (0..<100_000).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
        let object = try #require(try JSONValue.parse(text).objectValue)
        #expect(object.count == 100_000)
        #expect(object["k99999"] == 99_999)
        #expect(object["k100000"] == nil)
    }
}
