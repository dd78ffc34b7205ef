import Foundation
import Maintenance
import Repository
import RepositoryFormat
import TestSupport
import Testing

@Suite struct SearchTests {
    private func found(
        _ queries: QueryFixture, _ patterns: [String], ignoringCase: Bool = false, snapshot: Int = 0,
        change: (inout EntrySearch.Conditions) -> Void = { _ in }
    ) throws -> [String] {
        let repository = try queries.fixture.open()
        var conditions = EntrySearch.Conditions()
        conditions.patterns = patterns.compactMap { EntryPattern($0, ignoringCase: ignoringCase) }
        change(&conditions)
        let search = try EntrySearch(repository, conditions, cancellation: queries.fixture.cancellation)
        var paths: [String] = []
        try search.run(try queries.snapshots(repository)[snapshot], unreadable: { throw $2 }) {
            paths.append(String(decoding: $0.path, as: UTF8.self))
        }
        return paths
    }

    @Test func `patterns, kinds, sizes and times find what they should`() throws {
        let queries = try QueryFixture()
        #expect(
            try found(queries, ["*.conf"])
                == ["/src/etc/conf.d/two.conf", "/src/etc/one.conf", "/src/same.conf"])
        #expect(
            try found(queries, ["t*.conf"], ignoringCase: true)
                == ["/src/etc/conf.d/THREE.CONF", "/src/etc/conf.d/two.conf"])
        #expect(try found(queries, ["etc/*.conf"]) == ["/src/etc/one.conf"])
        #expect(try found(queries, ["/etc/*.conf"]) == [])
        #expect(try found(queries, ["/src/**/two.conf", "gone"]) == ["/src/etc/conf.d/two.conf", "/src/gone"])
        #expect(try found(queries, []) { $0.kinds = [.symlink, .fifo] } == ["/src/link", "/src/pipe"])
        #expect(try found(queries, []) { $0.minimumByteCount = 1_000_000 } == ["/src/large", "/src/random"])
        #expect(try found(queries, ["l*"]) { $0.maximumByteCount = 2_000_000 } == ["/src/linked"])
        #expect(
            try found(queries, []) {
                $0.oldest = Timestamp(seconds: 1_577_836_800)
                $0.newest = Timestamp(seconds: 1_622_548_800, nanoseconds: 500_000_000)
            } == ["/src/etc/one.conf", "/src/large", "/src/linked"])
    }

    @Test func `restic finds the same entries by name`() throws {
        let queries = try QueryFixture()
        for pattern in ["*.conf", "1?", "etc/one.conf", "[ab]*", "large"] {
            for (index, id) in queries.ids.enumerated() {
                let theirs = try queries.restic("find --json -s \(id.hexadecimal) '\(pattern)'")
                let matches = theirs.flatMap { $0["matches"] as? [[String: Any]] ?? [] }
                // restic goes on below a directory that fits.
                let paths = matches.compactMap { $0["path"] as? String }.filter {
                    !$0.hasPrefix("/src/added/") || pattern != "[ab]*"
                }
                let ours = try found(queries, [pattern], snapshot: index).filter {
                    $0 != "/src/added" || pattern != "[ab]*"
                }
                #expect(ours == paths.filter { $0 != "/src/added" || pattern != "[ab]*" }, "\(pattern)")
            }
        }
    }

    @Test func `a search of several snapshots finds in each what a search of it alone finds`() throws {
        let queries = try QueryFixture()
        let repository = try queries.fixture.open()
        for pattern in ["*.conf", "file", "nowhere", "4"] {
            var conditions = EntrySearch.Conditions()
            conditions.patterns = [try #require(EntryPattern(pattern))]
            let search = try EntrySearch(repository, conditions, cancellation: queries.fixture.cancellation)
            for (index, snapshot) in try queries.snapshots(repository).enumerated() {
                var paths: [String] = []
                try search.run(snapshot, unreadable: { throw $2 }) {
                    paths.append(String(decoding: $0.path, as: UTF8.self))
                }
                #expect(paths == (try found(queries, [pattern], snapshot: index)))
            }
        }
    }

    @Test func `what needs a blob, a tree or a pack is found by id, as restic finds it`() throws {
        let queries = try QueryFixture()
        let repository = try queries.fixture.open()
        let snapshot = try queries.snapshots(repository)[1]
        let loader = try BlobLoader(repository)
        let top = try #require(try loader.loadTree(snapshot.record.tree).first?.subtree)
        let large = try #require(try loader.loadTree(top).first { $0.name == Array("large".utf8) })
        let blob = try #require(large.content?.first)
        func places(_ search: ObjectSearch) throws -> Set<String> {
            var places: Set<String> = []
            try search.run(snapshot, unreadable: { throw $2 }) {
                places.insert("\($0.id.short) \(String(decoding: $0.path, as: UTF8.self))")
            }
            return places
        }
        func names(_ text: String) throws -> ObjectNames {
            var names = ObjectNames()
            let isName = names.insert(text)
            try #require(isName)
            return names
        }
        let cancellation = queries.fixture.cancellation
        let byBlob = try places(
            ObjectSearch(repository, blobs: names(blob.short), trees: ObjectNames(), cancellation: cancellation))
        #expect(byBlob == ["\(blob.short) /src/large", "\(blob.short) /src/added/copy"])
        let byTree = try places(
            ObjectSearch(repository, blobs: ObjectNames(), trees: names(top.hexadecimal), cancellation: cancellation))
        #expect(byTree == ["\(top.short) /src"])
        let pack = try #require(repository.index.location(of: blob, .data)?.pack)
        let byPack = try places(ObjectSearch(repository, packs: names(pack.short), cancellation: cancellation))
        let theirs = try queries.restic("find --json -s \(snapshot.id.hexadecimal) --pack \(pack.hexadecimal)")
        let expected = Set(
            theirs.map { "\(($0["id"] as? String ?? "").prefix(8)) \($0["path"] as? String ?? "")" })
        #expect(byPack == expected && byPack.isSuperset(of: byBlob))
        #expect(throws: MaintenanceError.self) {
            try ObjectSearch(repository, packs: names("0123456789"), cancellation: cancellation)
        }
    }

    @Test(arguments: [
        ("*.c", "/a/b.c", true), ("*.c", "/a/b.c/d", false), ("a/*", "/x/a/b", true), ("/a/*", "/x/a/b", false),
        ("a/**", "/x/a/b/c", true), ("/a/**/d", "/a/d", true), ("[!x]", "/a", true), ("?", "/\u{E4}", true),
        ("a", "/a/b", false), ("/", "/a", false), ("\\*", "/*", true),
    ])
    func `a pattern fits what the shell would take it for`(pattern: String, path: String, fits: Bool) {
        let pattern = EntryPattern(pattern)
        #expect(EntryPattern.withTextLocale { pattern?.matches(Array(path.utf8)) ?? false } == fits)
    }

    @Test func `case is ignored beyond ASCII, and bytes that are no text are matched`() throws {
        let pattern = try #require(EntryPattern("\u{C4}*", ignoringCase: true))
        EntryPattern.withTextLocale {
            #expect(pattern.matches(Array("/\u{E4}pfel".utf8)))
            #expect(EntryPattern("odd*")?.matches(Array("/odd".utf8) + [0xFF]) == true)
        }
    }

    @Test(arguments: ["", "123", "xyz1", String(repeating: "a", count: 65)])
    func `what is no id is refused`(text: String) {
        var names = ObjectNames()
        let isName = names.insert(text)
        #expect(!isName)
    }
}
