import JSON
import PluginProtocol
import Testing

@Suite struct `Grammar of names` {
    @Test(arguments: [
        "config", "data/ab/abcdef0123", "a", "a/b", "a.b", "a-b", "_x", "A/9", "keys/x.tmp",
        String(repeating: "a", count: 255),
    ])
    func `keys`(text: String) { #expect(ObjectKey(text)?.text == text) }

    @Test(arguments: [
        "", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../x", "a/.b", ".a", "-a", "a b", "a\"b", "a\\b", "ä", "a\nb",
        "a\u{0}", "a*", String(repeating: "a", count: 256), String(repeating: "ab/", count: 171),
    ])
    func `what is no key`(text: String) { #expect(ObjectKey(text) == nil) }

    @Test func `the longest key has 512 bytes`() {
        let longest = String(repeating: "a", count: 255) + "/" + String(repeating: "b", count: 255) + "/"
        #expect(ObjectKey(longest + "c") == nil)
        #expect(ObjectKey(longest.dropLast() + "") != nil)
        let many = String(repeating: "abc/", count: 127) + "abcd"
        #expect(many.utf8.count == 512)
        #expect(ObjectKey(many) != nil)
        #expect(ObjectKey(many + "e") == nil)
    }

    @Test func `keys are ordered by bytes`() throws {
        let keys = try ["a/b", "a", "a.b", "a-b", "B", "a/B"].map { try #require(ObjectKey($0)) }
        #expect(keys.sorted().map(\.text) == ["B", "a", "a-b", "a.b", "a/B", "a/b"])
    }

    @Test func `prefixes are beginnings of keys`() throws {
        for text in ["", "data/", "data/0", "a", "a/b."] { #expect(KeyPrefix(text) != nil) }
        for text in ["/", "a//", ".a", "a/.", "../", "a b"] { #expect(KeyPrefix(text) == nil) }
        let key = try #require(ObjectKey("data/0a/ff"))
        #expect(try #require(KeyPrefix("data/0")).matches(key))
        #expect(try !#require(KeyPrefix("data/1")).matches(key))
        #expect(KeyPrefix.all.matches(key))
    }

    @Test func `spool paths are absolute and plain`() {
        for text in ["/a", "/run/user/0/.spool-1/in", "/a/..b", "/x+y=z"] { #expect(SpoolPath(text) != nil) }
        for text in ["", "/", "a", "/a/", "/a//b", "/a/../b", "/a/./b", "/a b", "/ä", "/a\"", "/a\\"] {
            #expect(SpoolPath(text) == nil)
        }
    }

    @Test func `cursors are visible ASCII`() {
        for text in ["a", "index/0+/=~", String(repeating: "x", count: 512)] { #expect(ListCursor(text) != nil) }
        for text in ["", "a b", "a\"", "a\\", String(repeating: "x", count: 513)] { #expect(ListCursor(text) == nil) }
    }
}
