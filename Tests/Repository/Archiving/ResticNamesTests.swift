import Foundation
import Repository
import RepositoryFormat
import TestSupport
import Testing

/// Trees as stock restic writes them, byte for byte.
@Suite struct ResticNamesTests {
    @Test func `every tree that restic writes is encoded again to the same bytes`() throws {
        let fixture = try RepositoryFixture("names")
        let scratch = try TemporaryDirectory("names-source")
        let made = try ShellScript(
            #"""
            python3 -c '
            import os, random
            random.seed(1)
            os.mkdir("src"); os.chdir("src")
            names = [bytes([n]) for n in range(1, 256) if n not in (46, 47)]
            names += [chr(c).encode() for c in
                [0x80, 0x85, 0xA0, 0xAD, 0xE9, 0x300, 0x378, 0x600, 0x61C, 0x1680, 0x2000, 0x200B, 0x2028, 0x2029, 0x202F, 0x205F,
                 0x2060, 0x3000, 0xD7FF, 0xE000, 0xF8FF, 0xFEFF, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x1F600, 0x20000, 0xE0001,
                 0xE0100, 0xF0000, 0x10FFFF]]
            names += [b"\xe2\x82", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"a\xf0\x9f\x98", b"\\x41", b"\\u0041", b"<a href=\"x\">&"]
            names += [bytes(random.choice([random.randrange(1, 47), random.randrange(48, 256)]) for _ in range(random.randrange(2, 40))) for _ in range(300)]
            for number, name in enumerate(dict.fromkeys(names)):
                if number % 3: open(name, "wb").write(name)
                else: os.symlink("<target> & \u2028 %d" % number, name)
                os.utime(name, ns=(number * 10**9, number * 10**number if number < 18 else (number - 100) * 31556952 * 10**9 + number), follow_symlinks=False)
            '
            """#
        ).run(in: scratch)
        #expect(made?.status == 0, "\(made?.output ?? "")")
        let done = try fixture.run("restic init -q && cd \(scratch.path)/src && restic backup -q .")
        #expect(done.status == 0, "\(done.output)")
        let repository = try fixture.open()
        let dumped = try fixture.run(
            """
            for id in $(restic list blobs -q --no-lock | grep ^tree | cut -d' ' -f2); do
                restic cat blob -q --no-lock $id > \(scratch.path)/tree-$id 2>/dev/null
            done
            """)
        #expect(dumped.status == 0, "\(dumped.output)")
        let trees = try scratch.names().filter { $0.hasPrefix("tree-") }
        #expect(!trees.isEmpty)
        var nodeCount = 0
        for tree in trees {
            let bytes = try scratch.read(tree)
            let nodes = try TreeDecoding.nodes(bytes)
            nodeCount += nodes.count
            let again = TreeEncoding.encoded(nodes)
            #expect(again == bytes, "\(Self.firstDifference(again, bytes))")
        }
        #expect(nodeCount > 500)
        #expect(repository.config.version == 2)
        // The same directory read by us has the same tree.
        let ours = try fixture.backup(scratch.path("src"), as: "x")
        #expect(trees.contains("tree-" + (ours.node.subtree?.hexadecimal ?? "")))
    }

    private static func firstDifference(_ a: [UInt8], _ b: [UInt8]) -> String {
        let position = zip(a, b).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(a.count, b.count)
        func text(_ bytes: [UInt8]) -> String {
            String(decoding: bytes[max(0, position - 60)..<min(bytes.count, position + 60)], as: UTF8.self)
        }
        return "byte \(position): ours \(text(a)), theirs \(text(b))"
    }
}
