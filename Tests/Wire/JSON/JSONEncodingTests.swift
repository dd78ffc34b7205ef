import JSON
import Testing

@Suite struct `JSON encoding` {
    @Test func `members keep their order and the text is compact`() throws {
        let value: JSONValue = ["b": 1, "a": [true, nil, "x"], "c": ["z": -5, "y": [:]]]
        #expect(try value.encodedText() == #"{"b":1,"a":[true,null,"x"],"c":{"z":-5,"y":{}}}"#)
    }

    @Test func `ASCII text escapes everything else`() throws {
        let value: JSONValue = ["k": "é😀\"\\/\u{1}\n\u{7F}"]
        #expect(try value.encodedText(ascii: true) == #"{"k":"\u00E9\uD83D\uDE00\"\\/\u0001\n"# + "\u{7F}\"}")
        #expect(try value.encodedText() == #"{"k":"é😀\"\\/\u0001\n"# + "\u{7F}\"}")
    }

    @Test(
        arguments: [
            ["s": "text", "n": nil, "t": true, "f": false], ["i": 9_223_372_036_854_775_807], ["i": .integer(.min)],
            ["r": .real(0.1), "e": .real(1e300)], ["": ""], [[], [[]], [:]],
        ] as [JSONValue])
    func `what is written is read back equal`(value: JSONValue) throws {
        #expect(try JSONValue.parse(value.encoded()) == value)
        #expect(try JSONValue.parse(value.encoded(ascii: true)) == value)
    }

    @Test func `a text longer than the first buffer is whole`() throws {
        let long = String(repeating: "0123456789", count: 5000)
        let bytes = try (["a": .string(long)] as JSONValue).encoded(ascii: true)
        #expect(bytes.count == 50_008)
        #expect(try JSONValue.parse(bytes) == ["a": .string(long)])
    }

    @Test(
        arguments: [
            ["a": .real(.nan)], ["a": .real(.infinity)], ["a": "nul\u{0}"], ["nul\u{0}": 1], "scalar", 1, nil,
        ] as [JSONValue])
    func `what has no JSON text is refused`(value: JSONValue) {
        #expect { try value.encoded() } throws: { ($0 as? JSONError)?.code == .unencodable }
    }

    @Test func `a value that is nested too deep is refused, not a stack overflow`() {
        var value: JSONValue = []
        for _ in 0..<127 { value = [value] }
        #expect(throws: Never.self) { try value.encoded() }
        value = [value]
        #expect { try value.encoded() } throws: { ($0 as? JSONError)?.code == .tooDeep }
    }
}
