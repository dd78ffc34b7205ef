import Testing

@testable import RepositoryFormat

@Suite struct ByteScannerTests {
    private func scan<Result>(
        _ text: String, _ body: (inout ByteScanner) throws(FormatError) -> Result
    ) throws -> Result {
        try Array(text.utf8).withUnsafeBytes { bytes in
            var scanner = ByteScanner(bytes, object: "text")
            let result = try body(&scanner)
            try scanner.expectEnd()
            return result
        }
    }

    @Test(
        arguments: [
            ("0", 0), ("7", 7), (" 42 ", 42), ("18446744073709551615", .max), ("007", 7),
        ] as [(String, UInt64)])
    func `whole numbers are read`(text: String, value: UInt64) throws {
        #expect(try scan(text) { (scanner) throws(FormatError) in try scanner.unsigned() } == value)
    }

    @Test(arguments: [
        "", "-1", "18446744073709551616", "99999999999999999999999", "1.5", "1e3", "1E3", "x", "\"1\"", "1 2",
    ])
    func `other numbers are refused`(text: String) {
        #expect(throws: FormatError.self) {
            try scan(text) { (scanner) throws(FormatError) in try scanner.unsigned() }
        }
    }

    @Test func `numbers must fit their type`() throws {
        #expect(try scan("4294967295") { (scanner) throws(FormatError) in try scanner.integer(UInt32.self) } == .max)
        #expect(throws: FormatError("text", "a number out of range at byte 10")) {
            try scan("4294967296") { (scanner) throws(FormatError) in try scanner.integer(UInt32.self) }
        }
    }

    @Test(arguments: [
        (#""""#, ""), (#""abc""#, "abc"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
        (#""\u0041\u00e9\u20AC""#, "Aé€"),
        (#""\ud83d\ude00""#, "😀"), (#""é😀""#, "é😀"),
        // Lone and swapped surrogates become U+FFFD, as in Go.
        (#""\ud83d""#, "\u{FFFD}"), (#""\ude00\ud83d""#, "\u{FFFD}\u{FFFD}"), (#""\ud83dx""#, "\u{FFFD}x"),
        (#""\ud83d\u0041""#, "\u{FFFD}A"), (#""\ud83d\n""#, "\u{FFFD}\n"),
    ])
    func `strings are read with their escapes`(text: String, value: String) throws {
        #expect(try scan(text) { (scanner) throws(FormatError) in try scanner.string() } == Array(value.utf8))
    }

    @Test(arguments: [
        "", "\"", "\"abc", #""\"#, #""\x41""#, #""\u12""#, #""\u12g4""#, #""\ud83d\u""#, #""\ud83d\u12""#, "\"a\nb\"",
        "\"\u{1}\"", "abc", "'a'",
    ])
    func `broken strings are refused`(text: String) {
        #expect(throws: FormatError.self) { try scan(text) { (scanner) throws(FormatError) in try scanner.string() } }
    }

    @Test func `ids, keys and times have no escapes`() {
        #expect(throws: FormatError.self) {
            try scan(#""a\u0041""#) { (scanner) throws(FormatError) in try scanner.plainString().count }
        }
    }

    @Test(arguments: [
        "null", "true", "false", "0", "-1.5e+3", #""x""#, "[]", "{}", "[1,[2,{\"a\":null}]]", "{\"a\":{\"b\":[true]}}",
        " [ 1 , 2 ] ", String(repeating: "[", count: 60) + String(repeating: "]", count: 60),
    ])
    func `values of newer programs are passed over`(text: String) throws {
        try scan(text) { (scanner) throws(FormatError) in try scanner.skipValue() }
    }

    @Test(arguments: [
        "", "[", "{", "[1", "[1,", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{1:2}", "nul", "tru", "]", "}", ",",
        "[1 2]", "x", "\u{0}", String(repeating: "[", count: 100_000),
        String(repeating: "{\"a\":", count: 100_000),
    ])
    func `broken values are refused, however deep`(text: String) {
        #expect(throws: FormatError.self) {
            try scan(text) { (scanner) throws(FormatError) in try scanner.skipValue() }
        }
    }

    @Test func `what stands behind the end is refused with its place`() {
        #expect(throws: FormatError("text", "unexpected bytes after the end at byte 5")) {
            try scan("true x") { (scanner) throws(FormatError) in _ = try scanner.bool() }
        }
    }
}
