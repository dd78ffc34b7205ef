import Foundation
import Glibc
import Repository
import RepositoryFormat
import TestSupport
import Testing
import Threads

@testable import Archiving

/// GNU tar is the judge: what it restores from our archives is what was captured.
@Suite struct TarExportTests {
    /// The archive of the one entry of a backup's root.
    private func archive(_ node: TreeNode, _ repository: OpenRepository, skipped: SkippedEntries = .init()) throws
        -> [UInt8]
    {
        var bytes: [UInt8] = []
        try SnapshotExport(repository, cancellation: Cancellation()).writeTar(
            tree: try #require(node.subtree), skipped: { skipped.add("\($0): \($1)") }, to: { bytes += Array($0) })
        return bytes
    }

    @Test func `GNU tar restores names, owners, times, links, devices and attributes`() throws {
        let fixture = try RepositoryFixture("tar")
        _ = try fixture.initialize()
        let scratch = try TemporaryDirectory("tar-source")
        #expect(try ShellScript(ResticInteropTests.exoticTree + Self.tarTree).run(in: scratch)?.status == 0)
        let backup = try fixture.backup(scratch.path("src"), as: "data")
        let skipped = SkippedEntries()
        try scratch.write(try archive(backup.node, fixture.open(), skipped: skipped), to: "archive.tar")
        #expect(skipped.list == ["/socket: A tar archive cannot hold a socket."])
        let restored = try fixture.run(
            """
            cd \(scratch.path) && rm src/socket && mkdir out && touch -r src src.time
            tar -xpf archive.tar -C out --numeric-owner --xattrs --xattrs-include='*' --acls 2> remarks
            ! grep -av 'time stamp' remarks
            rsync -aHAXnic --delete src/ out/ | grep -av '^\\.d\\.\\.t.* \\./$' || true
            cd src && find . -printf '%p %T@ %y %l\\n' | grep -av '^\\. ' | sort > ../ours
            cd ../out && find . -printf '%p %T@ %y %l\\n' | grep -av '^\\. ' | sort | cmp - ../ours
            """)
        #expect(restored == .init(status: 0, output: ""))
    }

    /// Beside what ``ResticInteropTests/exoticTree`` has: what does not fit a plain header.
    private static let tarTree = """

        name=$(printf 'n%.0s' $(seq 240)); mkdir -p "deep/$name/$name"; echo deep > "deep/$name/$name/\u{E4}"
        ln -s "$name/$name" longlink; printf z > $'not-text-\\xff\\xfe'; echo x > 'deep/käse'
        touch -d '1969-12-31 23:59:58.5Z' deep/käse; setfattr -n 'user.a=b%c' -v 0x000a00 deep; setfacl -d -m u:1234:rwx deep
        if [ "$(id -u)" = 0 ]; then chown 3000000:4000000 deep/käse; fi
        python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
        """

    @Test func `the listing is that of restic's own archive`() throws {
        let fixture = try RepositoryFixture("tar-listing")
        _ = try fixture.initialize()
        let scratch = try TemporaryDirectory("tar-listing-source")
        let script = """
            mkdir -p src/dir/empty && cd src && echo hello > a.txt && : > empty && ln -s a.txt link && chmod 4755 a.txt
            head -c 700000 /dev/urandom > dir/medium && head -c 9000000 /dev/urandom > dir/large
            name=$(printf 'n%.0s' $(seq 200)); echo deep > "dir/$name"; touch -d 2040-01-01 empty
            """
        #expect(try ShellScript(script).run(in: scratch)?.status == 0)
        let backup = try fixture.backup(scratch.path("src"), as: "data")
        try scratch.write(try archive(backup.node, fixture.open()), to: "archive.tar")
        let compared = try fixture.run(
            """
            cd \(scratch.path) && tar -tvf archive.tar > ours
            restic dump -q latest /data > theirs.tar
            tar -tvf theirs.tar --transform 's,^data/,,' --show-transformed-names > theirs && diff theirs ours
            """)
        #expect(compared == .init(status: 0, output: ""))
    }

    @Test func `a size beyond eight gibibytes stands in the extended header`() throws {
        let scratch = try TemporaryDirectory("tar-huge")
        var entry = TarEntry(kind: .file, path: Array("huge".utf8))
        entry.byteCount = 9 << 30
        try scratch.write(entry.encoded(), to: "head")
        let listing = try ShellScript("tar -tvf head 2>/dev/null || true").run(in: scratch)
        #expect(listing?.output.contains(" 9663676416 ") == true, "\(listing?.output ?? "")")
        entry.byteCount = (8 << 30) - 1
        #expect(entry.encoded().count == 512)
    }

    @Test(arguments: [(98, 101), (97, 99), (996, 999), (997, 1001)])
    func `the length of a record counts itself`(rest: Int, length: Int) throws {
        // "path=" and the value, with the space and the line feed: the rest of the record.
        var entry = TarEntry(kind: .file, path: Array("x".utf8))
        let value = [UInt8](repeating: 0x61, count: rest - 3 - "SCHILY.xattr.n".utf8.count)
        entry.attributes = [.init(name: Array("n".utf8), value: value)]
        let record = entry.encoded()[512...].prefix { $0 != 0x0A }
        let digits = String(decoding: record.prefix { $0 != 0x20 }, as: UTF8.self)
        #expect(Int(digits) == record.count + 1)
        #expect(record.count + 1 == length)
    }

    @Test(
        arguments: [
            ([2, 0, 0, 0], nil), ([2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255], "user::rw-"),
            ([2, 0, 0, 0, 2, 0, 5, 0, 210, 4, 0, 0, 0x20, 0, 0, 0, 255, 255, 255, 255], "user:1234:r-x,other::---"),
            ([1, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0], nil), ([2, 0, 0, 0, 1, 0, 9, 0, 0, 0, 0, 0], nil),
            ([2, 0, 0, 0, 3, 0, 6, 0, 0, 0, 0, 0], nil), ([2, 0, 0, 0, 1, 0, 6], nil),
        ] as [([UInt8], String?)])
    func `access control lists become text, and what is none does not`(bytes: [UInt8], text: String?) {
        #expect(AccessControlList.text(bytes) == text)
    }

    @Test func `a file that is damaged ends the archive with an error that names it`() throws {
        let fixture = try MemoryFixture()
        try fixture.initialize()
        try fixture.directory.write(
            Array((0..<400_000).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) }), to: "tree/file")
        let backup = try fixture.backup(fixture.directory.path("tree"))
        let repository = try fixture.open()
        let tree = try #require(backup.node.subtree)
        let blob = try #require(try BlobLoader(repository).loadTree(tree).first?.content?.first)
        let pack = try #require(repository.index.location(of: blob, .data)?.pack)
        try fixture.flip(ObjectKind.pack.key(pack), at: 40)
        let error = #expect(throws: ArchiveError.self) { try archive(backup.node, repository) }
        #expect(error?.code == .damaged && error?.message.hasPrefix("/file cannot be read") == true)
    }

    @Test func `who takes the bytes can stop it, and it stops when it is cancelled`() throws {
        let fixture = try MemoryFixture()
        try fixture.initialize()
        for number in 0..<40 {
            var random = PseudoRandom(seed: UInt64(number))
            let bytes = random.bytes(3_000_000)
            try fixture.directory.write(bytes, to: "tree/\(number)")
        }
        let backup = try fixture.backup(fixture.directory.path("tree"))
        let repository = try fixture.open()
        struct Enough: Error {}
        let tree = try #require(backup.node.subtree)
        var count = 0
        #expect(throws: Enough.self) {
            try SnapshotExport(repository, cancellation: Cancellation()).writeTar(
                tree: tree, skipped: { _, _ in },
                to: { bytes in
                    count += bytes.count
                    if count > 5_000_000 { throw Enough() }
                })
        }
        let cancellation = Cancellation()
        #expect(throws: CancellationFailure.self) {
            try SnapshotExport(repository, cancellation: cancellation).writeTar(
                tree: tree, skipped: { _, _ in }, to: { _ in cancellation.cancel(.requested) })
        }
    }

    @Test func `a file is written as it was, the empty one too`() throws {
        let fixture = try MemoryFixture()
        try fixture.initialize()
        var random = PseudoRandom(seed: 1)
        let bytes = random.bytes(20_000_000)
        try fixture.directory.write(bytes, to: "tree/large")
        try fixture.directory.write("", to: "tree/nothing")
        let backup = try fixture.backup(fixture.directory.path("tree"))
        let repository = try fixture.open()
        let export = SnapshotExport(repository, cancellation: fixture.cancellation)
        for node in try BlobLoader(repository).loadTree(try #require(backup.node.subtree)) {
            var written: [UInt8] = []
            try export.writeFile(node, path: node.name, to: { written += Array($0) })
            #expect(written == (node.size == 0 ? [] : bytes))
        }
    }
}

/// Collects what an archive cannot hold; told from another thread.
final class SkippedEntries: Sendable {
    private let entries = Condition([String]())
    var list: [String] { entries.withLockQuietly { $0 } }
    func add(_ text: String) { entries.withLock { $0.append(text) } }
}
