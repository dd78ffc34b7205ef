import Foundation
import Maintenance
import Repository
import RepositoryFormat
import TestSupport
import Testing

@Suite struct SnapshotDiffTests {
    @Test(arguments: [false, true])
    func `changes and statistics are those of restic`(metadata: Bool) throws {
        let queries = try QueryFixture()
        let repository = try queries.fixture.open()
        let snapshots = try queries.snapshots(repository)
        let diff = try SnapshotDiff(
            repository, showsMetadata: metadata, cancellation: queries.fixture.cancellation)
        var ours: [String] = []
        let statistics = try diff.run(from: snapshots[0].record.tree, to: snapshots[1].record.tree) {
            ours.append("\($0.modifier) \(String(decoding: $0.path, as: UTF8.self))")
        }
        let names = queries.ids.map(\.hexadecimal).joined(separator: " ")
        let theirs = try queries.restic("diff --json \(metadata ? "--metadata" : "") \(names)")
        let changes = theirs.filter { $0["message_type"] as? String == "change" }.map {
            "\($0["modifier"] as? String ?? "") \($0["path"] as? String ?? "")"
        }
        #expect(ours == changes && !changes.isEmpty)
        let summary = try #require(theirs.first { $0["message_type"] as? String == "statistics" })
        let result = try #require(statistics)
        #expect(summary["changed_files"] as? Int == result.changedFiles)
        for (name, side) in [("added", result.added), ("removed", result.removed)] {
            let other = try #require(summary[name] as? [String: Any])
            #expect(other["files"] as? Int == side.files)
            #expect(other["dirs"] as? Int == side.directories)
            #expect(other["others"] as? Int == side.others)
            #expect(other["data_blobs"] as? Int == side.dataBlobs)
            #expect(other["tree_blobs"] as? Int == side.treeBlobs)
            #expect(other["bytes"] as? UInt64 == side.byteCount)
        }
    }

    @Test func `the letters say what happened to each entry`() throws {
        let queries = try QueryFixture()
        let repository = try queries.fixture.open()
        let snapshots = try queries.snapshots(repository)
        let diff = try SnapshotDiff(repository, showsMetadata: true, cancellation: queries.fixture.cancellation)
        var changes: [String: String] = [:]
        _ = try diff.run(from: snapshots[0].record.tree, to: snapshots[1].record.tree, counting: false) {
            changes[String(decoding: $0.path, as: UTF8.self)] = $0.modifier
        }
        #expect(changes["/src/added/"] == "+" && changes["/src/added/copy"] == "+")
        #expect(changes["/src/gone/"] == "-" && changes["/src/gone/file"] == "-")
        #expect(changes["/src/etc/conf.d/two.conf"] == "M")
        #expect(changes["/src/turned"] == "TU" || changes["/src/turned"] == "T")
        #expect(changes["/src/same.conf"] == "U")
        #expect(changes["/src/large"] == nil && changes["/src/many/"] == nil)
    }

    @Test func `equal trees are not read`() throws {
        let fixture = try MemoryFixture()
        let repository = try fixture.initialize()
        let absent = ObjectID(hashing: [1])
        let diff = try SnapshotDiff(repository, showsMetadata: true, cancellation: fixture.cancellation)
        let statistics = try diff.run(from: absent, to: absent) { _ in Issue.record("a change between equal trees") }
        #expect(statistics?.added.byteCount == 0 && statistics?.removed.treeBlobs == 0 && statistics?.changedFiles == 0)
    }

    @Test func `a content that changed without its times is marked`() throws {
        let fixture = try MemoryFixture()
        try fixture.initialize()
        try fixture.directory.write("one", to: "tree/file")
        let first = try fixture.backup(fixture.directory.path("tree"))
        try fixture.directory.write("two", to: "tree/file")
        let second = try fixture.backup(fixture.directory.path("tree"))
        let repository = try fixture.open()
        let loader = try BlobLoader(repository)
        let old = try loader.loadTree(try #require(first.node.subtree))
        var new = try loader.loadTree(try #require(second.node.subtree))
        new[0].modified = old[0].modified
        new[0].accessed = old[0].accessed
        new[0].changed = old[0].changed
        new[0].inode = old[0].inode
        #expect(SnapshotDiff.modifier(from: old[0], to: new[0], showsMetadata: false) == "M?")
        #expect(SnapshotDiff.modifier(from: old[0], to: old[0], showsMetadata: true) == "")
        new[0].content = old[0].content
        new[0].mode = 0o640
        #expect(SnapshotDiff.modifier(from: old[0], to: new[0], showsMetadata: true) == "U")
        #expect(SnapshotDiff.modifier(from: old[0], to: new[0], showsMetadata: false) == "")
    }
}
