import TestSupport
import Testing

@testable import RepositoryFormat

@Suite struct GoTextTests {
    /// Names and what `restic cat blob` shows for them (restic 0.14.0, go1.19.8), before the JSON escapes.
    static let names: [([UInt8], String)] = [
        (Array("plain-name_1.txt".utf8), "plain-name_1.txt"), (Array("with space".utf8), "with space"),
        (Array("tab\tnewline\nreturn\r".utf8), #"tab\tnewline\nreturn\r"#),
        ([0x07, 0x08, 0x0C, 0x0B], #"\a\b\f\v"#), ([0x01, 0x1F, 0x7F], #"\x01\x1f\x7f"#),
        (Array(#"quote"back\slash"#.utf8), #"quote\"back\\slash"#), (Array("it's".utf8), "it's"),
        (Array("<&>".utf8), "<&>"), ([0xFF, 0xFE], #"\xff\xfe"#), ([0xC3, 0x28], #"\xc3("#),
        ([0xE2, 0x82], #"\xe2\x82"#), ([0xED, 0xA0, 0x80], #"\xed\xa0\x80"#), ([0xC0, 0x80], #"\xc0\x80"#),
        ([0xF4, 0x90, 0x80, 0x80], #"\xf4\x90\x80\x80"#), ([0xE0, 0x80, 0xAF], #"\xe0\x80\xaf"#),
        (Array("ä€😀".utf8), "ä€😀"), (Array("\u{2028}\u{2029}".utf8), #"\u2028\u2029"#),
        (Array("\u{200D}\u{AD}\u{FEFF}".utf8), #"\u200d\u00ad\ufeff"#),
        (Array("\u{A0}\u{3000}".utf8), #"\u00a0\u3000"#),
        (Array("\u{FFFD}".utf8), "\u{FFFD}"), (Array("\u{E000}".utf8), #"\ue000"#),
        (Array("\u{10FFFF}\u{E0001}".utf8), #"\U0010ffff\U000e0001"#), (Array("e\u{301}".utf8), "e\u{301}"),
        (Array("\u{80}\u{85}".utf8), #"\u0080\u0085"#),
    ]

    @Test(arguments: names)
    func `names are quoted as strconv does, and come back`(name: [UInt8], quoted: String) {
        #expect(String(decoding: GoText.quoted(name), as: UTF8.self) == quoted)
        #expect(GoText.unquoted(GoText.quoted(name)) == name)
    }

    @Test func `every byte string survives quoting`() {
        var random = PseudoRandom(seed: 8)
        for _ in 0..<2000 {
            let name = random.bytes(Int(random.next() % 12))
            #expect(GoText.unquoted(GoText.quoted(name)) == name)
        }
    }

    @Test(arguments: [
        #"\"#, #"\q"#, #"\x"#, #"\x1"#, #"\xg0"#, #"\u12"#, #"\ud800"#, #"\U00110000"#, #"\Uffffffff"#, #"""#,
        #"a"b"#, #"\'"#, #"\u{41}"#,
    ])
    func `what strconv does not write is refused`(text: String) {
        #expect(GoText.unquoted(Array(text.utf8)) == nil)
    }

    static let strings: [([UInt8], String)] = [
        (Array("plain".utf8), #""plain""#), ([], #""""#), (Array("a\"b\\c".utf8), #""a\"b\\c""#),
        (Array("<&>".utf8), #""\u003c\u0026\u003e""#), (Array("\n\r\t\u{1}\u{1F}".utf8), #""\n\r\t\u0001\u001f""#),
        ([0x7F], "\"\u{7F}\""), (Array("\u{2028}\u{2029}é😀".utf8), #""\u2028\u2029é😀""#),
        // encoding/json replaces each byte that is not UTF-8, not each run of them.
        ([0xFF], #""\ufffd""#), ([0xE2, 0x82, 0x41], #""\ufffd\ufffdA""#),
        ([0xF0, 0x9F, 0x98], #""\ufffd\ufffd\ufffd""#), ([0xED, 0xA0, 0x80], #""\ufffd\ufffd\ufffd""#),
        (Array("\u{FFFD}".utf8), "\"\u{FFFD}\""),
    ]

    @Test(arguments: strings)
    func `JSON strings are escaped as encoding/json does`(text: [UInt8], json: String) {
        var output: [UInt8] = []
        GoText.appendJSONString(text, to: &output)
        #expect(String(decoding: output, as: UTF8.self) == json)
    }

    @Test func `decimal numbers have all their digits`() {
        for value: UInt64 in [0, 9, 10, 99, 100, 12_345, .max, .max / 10, 1 << 32] {
            var output: [UInt8] = []
            GoText.appendDecimal(value, to: &output)
            #expect(String(decoding: output, as: UTF8.self) == "\(value)")
        }
    }

    @Test func `UTF-8 is what RFC 3629 allows`() {
        for text in ["", "a", "ä", "€", "😀", "\u{10FFFF}", "\u{D7FF}\u{E000}"] {
            #expect(GoText.isUTF8(Array(text.utf8)))
        }
        for bytes: [UInt8] in [
            [0x80], [0xC0, 0xAF], [0xC1, 0xBF], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF], [0x41, 0xC3, 0x28],
        ] {
            #expect(!GoText.isUTF8(bytes), "\(bytes)")
        }
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `base64 is that of RFC 4648, section 10`(text: String, encoded: String) {
        #expect(Base64.encoded(Array(text.utf8)) == Array(encoded.utf8))
        #expect(Base64.decoded(Array(encoded.utf8)) == Array(text.utf8))
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zg===", "Z===", "====", "Zm9v=", "Zg==Zg==", "Z=g=", "Zm9*", "Zm 9v", "Zm9v\n",
    ])
    func `what is no base64 is refused`(text: String) {
        #expect(Base64.decoded(Array(text.utf8)) == nil)
    }

    @Test func `base64 of all bytes comes back`() {
        var random = PseudoRandom(seed: 9)
        for count in 0..<100 {
            let bytes = random.bytes(count)
            #expect(Base64.decoded(Base64.encoded(bytes)) == bytes)
        }
    }
}
