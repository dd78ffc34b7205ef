import Archiving
import Testing

@Suite struct ExcludeRulesTests {
    struct Row: Sendable {
        let pattern: String
        let path: String
        var isDirectory = false
        let isExcluded: Bool
    }

    static let rows = [
        // Without a slash: the name of any entry at any depth.
        Row(pattern: "*.tmp", path: "a.tmp", isExcluded: true),
        Row(pattern: "*.tmp", path: "deep/below/a.tmp", isExcluded: true),
        Row(pattern: "*.tmp", path: "a.tmp.txt", isExcluded: false),
        Row(pattern: "*.tmp", path: "x.tmp/file", isExcluded: false),
        Row(pattern: "cache", path: "a/cache", isDirectory: true, isExcluded: true),
        Row(pattern: "cache", path: "cached", isExcluded: false),
        Row(pattern: "?", path: "a", isExcluded: true), Row(pattern: "?", path: "ab", isExcluded: false),
        Row(pattern: "[ab]*", path: "bob", isExcluded: true), Row(pattern: "[!ab]*", path: "bob", isExcluded: false),
        Row(pattern: "*", path: ".hidden", isExcluded: true), Row(pattern: #"\*"#, path: "*", isExcluded: true),
        Row(pattern: #"\*"#, path: "a", isExcluded: false),
        // A slash at the end: directories only.
        Row(pattern: "cache/", path: "x/cache", isDirectory: true, isExcluded: true),
        Row(pattern: "cache/", path: "x/cache", isExcluded: false),
        // A slash elsewhere: the path below the root.
        Row(pattern: "/logs", path: "logs", isDirectory: true, isExcluded: true),
        Row(pattern: "/logs", path: "x/logs", isDirectory: true, isExcluded: false),
        Row(pattern: "var/*.log", path: "var/a.log", isExcluded: true),
        Row(pattern: "var/*.log", path: "var/x/a.log", isExcluded: false),
        Row(pattern: "var/*.log", path: "other/var/a.log", isExcluded: false),
        Row(pattern: "a/*/c", path: "a/b/c", isExcluded: true), Row(pattern: "a/*/c", path: "a/c", isExcluded: false),
        Row(pattern: "a/b/", path: "a/b", isDirectory: true, isExcluded: true),
        Row(pattern: "a/b/", path: "a/b", isExcluded: false),
        // Two stars span directories.
        Row(pattern: "**/c", path: "c", isExcluded: true), Row(pattern: "**/c", path: "a/b/c", isExcluded: true),
        Row(pattern: "a/**/c", path: "a/c", isExcluded: true),
        Row(pattern: "a/**/c", path: "a/x/y/c", isExcluded: true),
        Row(pattern: "a/**/c", path: "b/x/c", isExcluded: false), Row(pattern: "a/**", path: "a/x/y", isExcluded: true),
        Row(pattern: "a/**/b/**/c", path: "a/1/b/2/3/c", isExcluded: true),
        Row(pattern: "a/**/b/**/c", path: "a/1/2/3/c", isExcluded: false),
        // Names in UTF-8, and patterns that say nothing.
        Row(pattern: "Übung*", path: "Übung.txt", isExcluded: true), Row(pattern: "", path: "a", isExcluded: false),
        Row(pattern: "/", path: "a", isDirectory: true, isExcluded: false),
    ]

    @Test(arguments: rows)
    func `patterns leave out what they say`(row: Row) {
        let path = row.path.split(separator: "/").map { Array($0.utf8) }
        #expect(
            ExcludeRules(["unrelated", row.pattern]).excludes(path: path, isDirectory: row.isDirectory)
                == row.isExcluded)
    }

    @Test func `no patterns leave out nothing`() {
        #expect(ExcludeRules([]).isEmpty)
        #expect(!ExcludeRules([]).excludes(path: [[0x61]], isDirectory: false))
    }
}
