import Foundation
import Repository
import RepositoryFormat
import Synchronization
import TestSupport
import Testing
import Threads

@testable import Archiving

/// Holes of files: neither read nor stored nor hashed, and made again.
@Suite(.timeLimit(.minutes(3))) struct HoleTests {
    let fixture: MemoryFixture
    let scratch: TemporaryDirectory

    init() throws {
        fixture = try MemoryFixture("holes")
        try fixture.initialize()
        scratch = try TemporaryDirectory("holes-source")
    }

    /// Files with holes of all kinds: name, then pieces of `offset+length` that hold data, then the size.
    static let layouts = #"""
        import os, random
        random.seed(7)
        layouts = {
            "all": ([], 6 << 20),
            "odd-size": ([], 3 * 524288 + 12345),
            "one-chunk": ([], 524288),
            "two-chunks": ([], 1048576),
            "head": ([(0, 4096)], 5 << 20),
            "head-of-a-chunk": ([(0, 524288)], 5 << 20),
            "head-of-many": ([(0, 9 << 20)], 15 << 20),
            "tail": ([((5 << 20) - 100, 100)], 5 << 20),
            "aligned-tail": ([(5 << 20, 4096)], (5 << 20) + 4096),
            "middle": ([(2 << 20, 4096), ((3 << 20) + 8192, 700000)], 9 << 20),
            "short-holes": ([(n * 600000 // 4096 * 4096, 300000) for n in range(20)], 13 << 20),
            "barely": ([(0, 4096), (4096 + 524288, 4096), (4096 * 2 + 524288 + 524288 - 4096, 4096)], 4 << 20),
            "short-chunk-then-hole": ([(0, 600000), (4 << 20, 4096)], 8 << 20),
        }
        for number in range(12):
            size = random.randrange(600000, 12 << 20)
            pieces = [(random.randrange(0, size) // 4096 * 4096, random.randrange(1, 900000)) for _ in range(3)]
            layouts["random-%d" % number] = ([(o, min(n, size - o)) for o, n in pieces], size)
        os.makedirs("src", exist_ok=True)
        for name, (pieces, size) in layouts.items():
            with open("src/" + name, "wb") as file:
                for offset, length in pieces:
                    file.seek(offset)
                    file.write(random.randbytes(length))
                file.truncate(size)
        """#

    private func sh(_ script: String) throws -> String {
        let result = try #require(try ShellScript(script).run(in: scratch))
        #expect(result.status == 0, "\(result.output)")
        return result.output
    }

    @Test func `a file with holes has the chunks of the same file without`() throws {
        try scratch.write(Self.layouts, to: "layouts.py")
        _ = try sh("python3 layouts.py; cp -r --sparse=never --preserve=timestamps src full")
        func contents(_ name: String) throws -> [String: [ObjectID]] {
            let node = try fixture.backup(scratch.path(name)).node
            let nodes = try BlobLoader(fixture.open()).loadTree(try #require(node.subtree))
            return Dictionary(
                uniqueKeysWithValues: nodes.map { (String(decoding: $0.name, as: UTF8.self), $0.content ?? []) })
        }
        let sparse = try contents("src")
        let full = try contents("full")
        #expect(sparse.count == 25)
        for (name, content) in sparse { #expect(content == full[name], "\(name)") }
        #expect(fixture.observer.messages == [])
    }

    @Test func `a file with holes has the tree that stock restic gives it`() throws {
        let restic = try RepositoryFixture("holes-restic")
        _ = try restic.initialize()
        try scratch.write(Self.layouts, to: "layouts.py")
        _ = try sh("python3 layouts.py")
        let ours = try restic.backup(scratch.path("src"), as: "src")
        let theirs = try restic.run(
            """
            cd \(scratch.path) && restic backup -q src && root=$(restic snapshots --json latest | python3 -c 'import json,sys; print(json.load(sys.stdin)[-1]["tree"])')
            restic cat blob "$root" -q 2>/dev/null | python3 -c 'import json,sys; print(json.load(sys.stdin)["nodes"][0]["subtree"])'
            """)
        #expect(theirs.output.trimmingCharacters(in: .whitespacesAndNewlines) == ours.node.subtree?.hexadecimal)
        let restored = try restic.run(
            "restic restore latest -q --target \(scratch.path("theirs")) && diff -r \(scratch.path("src")) \(scratch.path("theirs"))/src"
        )
        #expect(restored == .init(status: 0, output: ""))
    }

    @Test func `a hole of a hundred gigabytes costs next to nothing`() throws {
        _ = try sh(
            """
            truncate -s 50G huge; head -c 700000 /dev/urandom >> huge; truncate -s 100G huge; printf end >> huge
            mkdir src; mv huge src
            """)
        let reads = Mutex(0)
        let archiver = try Archiver(
            fixture.open(), observer: fixture.observer, cancellation: fixture.cancellation
        ) { moment in
            if case .reading = moment { reads.withLock { $0 += 1 } }
        }
        let node = try archiver.archive(path: scratch.path("src"), as: "src")
        let added = archiver.added
        try archiver.finish()
        let files = try BlobLoader(fixture.open()).loadTree(try #require(node.subtree))
        let file = try #require(files.first)
        #expect(file.size == 100 << 30 + 3)
        #expect((file.content?.count ?? 0) > 204_790)
        #expect(archiver.statistics.bytes == file.size)
        #expect(reads.withLock { $0 } < 100, "holes are passed over")
        #expect(added.dataBlobs < 8)
        // An unchanged one is not looked into again.
        #expect(try fixture.restore(node, to: scratch.path("target")).failures == 0)
        #expect(
            try sh(
                """
                stat -c %s target/huge; [ $(stat -c %b target/huge) -le $(($(stat -c %b src/huge) + 16)) ] && echo small
                for skip in 0 53687091199 53687091200 53687500000 107374182400; do
                    cmp <(tail -c +$((skip + 1)) src/huge | head -c 700001) <(tail -c +$((skip + 1)) target/huge | head -c 700001)
                done
                """) == "107374182403\nsmall\n")
        #expect(fixture.observer.messages == [])
    }

    @Test func `zeros that were written become holes, in files of one chunk and of many`() throws {
        _ = try sh(
            """
            mkdir src; head -c 300000 /dev/zero > src/short; head -c 7000000 /dev/zero > src/long
            { head -c 5000 /dev/urandom; head -c 100000 /dev/zero; } > src/tail
            { head -c 100000 /dev/zero; echo x; head -c 3 /dev/zero; } > src/head; head -c 3000 /dev/zero > src/tiny
            """)
        let node = try fixture.backup(scratch.path("src")).node
        #expect(try fixture.restore(node, to: scratch.path("target")).failures == 0)
        #expect(try sh("diff -r src target; rsync -aHAXnic --delete src/ target/") == "")
        let blocks = try sh("cd target; stat -c %b short long tail head tiny").split(separator: "\n").compactMap {
            Int($0)
        }
        // What is left of a block at the end is written.
        #expect(blocks.count == 5)
        #expect(blocks.allSatisfy { $0 <= 24 }, "\(blocks)")
    }
}
