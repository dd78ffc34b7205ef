import CLinux
import Foundation
import Repository
import RepositoryFormat
import TestSupport
import Testing
import Threads

@testable import Archiving

/// Paths that are longer than any system call takes, and deeper than descriptors go.
@Suite(.serialized, .timeLimit(.minutes(3))) struct DeepTreeTests {
    let fixture: MemoryFixture
    let scratch: TemporaryDirectory

    init() throws {
        fixture = try MemoryFixture("deep")
        try fixture.initialize()
        scratch = try TemporaryDirectory("deep-source")
    }

    /// Makes `levels` directories one in the other, each with a file, a link and an attribute, or prints what there is.
    static let script = #"""
        import os, sys
        def make(levels, width):
            os.mkdir("src"); os.chdir("src")
            for level in range(levels):
                with open("file", "w") as file: file.write("level %d" % level)
                if level % 100 == 0:
                    os.symlink("../file", "link"); os.mkfifo("fifo"); os.setxattr("file", "user.level", b"%d" % level)
                    os.link("file", "hard"); os.truncate("file", 600000)
                    os.setxattr("link", "trusted.level", b"1", follow_symlinks=False) if os.geteuid() == 0 and len(sys.argv) < 5 else None
                    os.setxattr(".", "user.level", b"x")
                name = "%04d-" % level + "n" * width
                os.mkdir(name); os.utime("file", ns=(level, level)); os.chdir(name)
        def show(root):
            os.chdir(root)
            count = 0
            while True:
                below = None
                for name in sorted(os.listdir(".")):
                    info = os.lstat(name)
                    attributes = {a: os.getxattr(name, a, follow_symlinks=False) for a in os.listxattr(name, follow_symlinks=False)}
                    print(name, oct(info.st_mode), info.st_nlink if name in ("file", "hard") else 0, info.st_size if name != "src" and not os.path.isdir(name) else 0,
                          info.st_mtime_ns, attributes, os.readlink(name) if os.path.islink(name) else "",
                          hash(open(name, "rb").read()) if name == "file" else "")
                    if os.path.isdir(name): below = name
                if below is None: break
                count += 1
                os.chdir(below)
            print(count)
        if sys.argv[1] == "make": make(int(sys.argv[2]), int(sys.argv[3]))
        else: show(sys.argv[2])
        """#

    private func sh(_ script: String) throws -> String {
        let result = try #require(
            try ShellScript(script, environment: ["PYTHONHASHSEED": "0"]).run(in: scratch))
        #expect(result.status == 0, "\(result.output.suffix(2000))")
        return result.output
    }

    @Test(arguments: [false, true])
    func `a tree of 1500 levels with a path of 60 KB comes back`(isOld: Bool) throws {
        clinux_avoid_xattrat(isOld ? 1 : 0)
        defer {
            clinux_avoid_xattrat(0)
            for name in ["src", "target"] { try? FileTree.remove(scratch.path(name)) }
        }
        try scratch.write(Self.script, to: "deep.py")
        _ = try sh("python3 deep.py make 1500 35")
        let node = try fixture.backup(scratch.path("src")).node
        #expect(fixture.observer.messages == [])
        let scan = TreeScan([TreeScan.Source(path: scratch.path("src"))])
        let condition = Condition(())
        for _ in 0..<6000 where scan.total == nil { _ = condition.wait(timeout: .milliseconds(5)) { _ in Bool?.none } }
        scan.end()
        #expect(scan.total?.entries == 1501 + 1500 + 3 * 15)
        let statistics = try fixture.restore(node, to: scratch.path("target"))
        #expect(statistics.failures == 0 && statistics.warnings == 0, "\(fixture.observer.messages.prefix(3))")
        #expect(statistics.directories == 1501)
        let before = try sh("python3 deep.py show src")
        #expect(before.hasSuffix("\n1500\n"))
        #expect(try sh("python3 deep.py show target") == before)
        // What is there already is filled and replaced.
        #expect(try fixture.restore(node, to: scratch.path("target")).failures == 0)
        #expect(try sh("python3 deep.py show target") == before)
        try FileTree.remove(scratch.path("target"))
        #expect(FileTree.kind(at: scratch.path("target")) == nil)
    }

    @Test func `a target whose own path is longer than the system takes is filled`() throws {
        defer { try? FileTree.remove(scratch.path("src")) }
        try scratch.write(Self.script, to: "deep.py")
        _ = try sh("python3 deep.py make 120 40; mkdir data; echo a > data/a")
        var path = scratch.path("src")
        for level in 0..<120 { path += String(format: "/%04d-", level) + String(repeating: "n", count: 40) }
        #expect(path.utf8.count > 4096)
        let node = try fixture.backup(scratch.path("data")).node
        #expect(try fixture.restore(node, to: path).files == 1)
        #expect(try fixture.restore(node, to: path + "/new").files == 1)
        let again = try fixture.backup(path).node
        #expect(try fixture.paths(again) == ["a", "new", "new/a"])
        #expect(fixture.observer.messages == [])
    }

    @Test func `paths as long as the system takes pass stock restic both ways`() throws {
        let restic = try RepositoryFixture("deep-restic")
        _ = try restic.initialize()
        try scratch.write(Self.script, to: "deep.py")
        // 71 levels of 50 bytes and what lies before: close to 4,096 with the longest name.
        // Before 0.17 it kept no attributes of links.
        _ = try sh("python3 deep.py make 71 44 plain")
        let ours = try restic.backup(scratch.path("src"), as: "src")
        #expect(restic.observer.messages == [])
        let theirs = try restic.run(
            "restic check --read-data -q 2> /dev/null && restic restore latest -q --target \(scratch.path("theirs"))")
        #expect(theirs == .init(status: 0, output: ""))
        let before = try sh("python3 deep.py show src")
        #expect(try sh("python3 deep.py show theirs/src") == before)
        _ = try restic.run("cd \(scratch.path) && restic backup -q src")
        let repository = try restic.open()
        let snapshot = try repository.snapshots(cancellation: restic.cancellation).named("latest")
        let node = try #require(try BlobLoader(repository).loadTree(snapshot.record.tree).first)
        #expect(node.subtree == ours.node.subtree)
        try Restorer(repository, observer: restic.observer, cancellation: restic.cancellation)
            .restore(node, to: scratch.path("ours"))
        #expect(try sh("python3 deep.py show ours") == before)
    }

    @Test func `only so many directories are open, and each is found again`() throws {
        try scratch.write(Self.script, to: "deep.py")
        _ = try sh("python3 deep.py make 12 3; mkdir other")
        let root = try #require(DirectoryHandle.open(path: Array(scratch.path("src").utf8)))
        var stack = DirectoryStack(openCount: 2)
        stack.push(root, name: [])
        var paths = [root.path]
        for level in 0..<12 {
            let name = Array((String(format: "%04d-", level) + "nnn").utf8)
            let top = try #require(stack.top)
            let handle = try #require(DirectoryHandle.open(name, in: top))
            stack.push(handle, name: name)
            paths.append(handle.path)
        }
        for depth in stride(from: 12, through: 7, by: -1) {
            #expect(stack.depth == depth + 1)
            #expect(stack.top?.path == paths[depth])
            stack.pop()
        }
        // Moved away with what is below it: no longer what was walked.
        _ = try sh("cd src/0000-nnn/0001-nnn; mv 0002-nnn/0003-nnn ../../../other/; mv 0002-nnn elsewhere")
        while stack.depth > 4 { stack.pop() }
        #expect(stack.top == nil)
        stack.pop()
        #expect(stack.top?.path == paths[2])
        while stack.depth > 1 { stack.pop() }
        #expect(stack.top === root)
    }
}
