import Archiving
import ObjectStorage
import Repository
import RepositoryFormat
import TestSupport
import Testing

/// What is archived, and what is left out with or without a word.
@Suite struct SelectionTests {
    private func archive(_ script: String, _ change: (inout ArchiveOptions) -> Void) throws
        -> (paths: [String], messages: [String])
    {
        let fixture = try MemoryFixture("selection")
        try fixture.initialize()
        let scratch = try TemporaryDirectory("selection-source")
        let made = try ShellScript("mkdir src; cd src\n" + script).run(in: scratch)
        #expect(made?.status == 0, "\(made?.output ?? "")")
        var options = ArchiveOptions()
        change(&options)
        let node = try fixture.backup(scratch.path("src"), options: options).node
        return (try fixture.paths(node), fixture.observer.messages)
    }

    @Test func `excluded directories are left out with all that is below`() throws {
        let (paths, messages) = try archive(
            "mkdir -p keep/cache/x cache other; touch keep/cache/x/f keep/f cache/f other/a.tmp other/b"
        ) {
            $0.excludes = ["cache/", "*.tmp"]
        }
        #expect(paths == ["keep", "keep/f", "other", "other/b"])
        #expect(messages == [])
    }

    static let tags = """
        mkdir -p real/sub false empty marked/sub
        printf 'Signature: 8a477f597d28d172789f06886806bc55\\n# more' > real/CACHEDIR.TAG; touch real/f real/sub/g
        printf 'Signature: 8a477f597d28d172789f06886806bc5' > false/CACHEDIR.TAG; touch false/f
        : > empty/CACHEDIR.TAG; touch empty/f
        touch marked/.nobackup marked/f marked/sub/g
        """

    @Test func `caches keep nothing but their tag when asked`() throws {
        let (paths, _) = try archive(Self.tags) { $0.excludeCaches = true }
        #expect(
            paths == [
                "empty", "empty/CACHEDIR.TAG", "empty/f", "false", "false/CACHEDIR.TAG", "false/f", "marked",
                "marked/.nobackup", "marked/f", "marked/sub", "marked/sub/g", "real", "real/CACHEDIR.TAG",
            ])
    }

    @Test func `marked directories keep nothing but their mark when asked`() throws {
        let (paths, _) = try archive(Self.tags) { $0.excludeIfPresent = [".nobackup"] }
        #expect(paths.filter { $0.hasPrefix("marked") } == ["marked", "marked/.nobackup"])
        #expect(paths.filter { $0.hasPrefix("real") }.count == 5)
    }

    @Test func `without being asked everything is kept`() throws {
        let (paths, _) = try archive(Self.tags) { _ in }
        #expect(paths.count == 16)
    }

    @Test(.enabled(if: Capability.canMount, "needs the right to mount a tmpfs"))
    func `other file systems are empty directories when asked`() throws {
        let fixture = try MemoryFixture("mounts")
        try fixture.initialize()
        let scratch = try TemporaryDirectory("mounts-source")
        let script = "mkdir -p src/m src/n && mount -t tmpfs none src/m && touch src/m/inside src/n/f && mkdir src/m/d"
        #expect(try ShellScript(script).run(in: scratch)?.status == 0)
        defer { _ = try? ShellScript("umount src/m").run(in: scratch) }
        var options = ArchiveOptions()
        options.oneFileSystem = true
        let one = try fixture.backup(scratch.path("src"), options: options).node
        #expect(try fixture.paths(one) == ["m", "n", "n/f"])
        let all = try fixture.backup(scratch.path("src")).node
        #expect(try fixture.paths(all) == ["m", "m/d", "m/inside", "n", "n/f"])
        // A root that is itself a mount point is its own file system.
        let mount = try fixture.backup(scratch.path("src/m"), options: options).node
        #expect(try fixture.paths(mount) == ["d", "inside"])
    }

    @Test(.enabled(if: Capability.isRoot, "needs root to become somebody else"))
    func `what cannot be read is named and left out, the rest is kept`() throws {
        let fixture = try MemoryFixture("unreadable")
        try fixture.initialize()
        let scratch = try TemporaryDirectory("unreadable-source")
        let script = """
            chmod 755 .; mkdir -p src/closed src/listed; cd src; echo a > a; echo b > secret; echo c > closed/c
            echo d > listed/d; head -c 700000 /dev/urandom > large; chmod 000 secret large closed; chmod 744 listed
            """
        #expect(try ShellScript(script).run(in: scratch)?.status == 0)
        let spool = try ShellScript("chmod 711 .; chmod 777 spool").run(in: fixture.directory)
        #expect(spool?.status == 0)
        let backup = try #require(try FileSystemIdentity.asNobody { try fixture.backup(scratch.path("src")) })
        let source = scratch.path("src")
        #expect(
            fixture.observer.messages.sorted() == [
                "\(source)/closed: It cannot be opened: Permission denied.",
                "\(source)/large: It cannot be opened: Permission denied.",
                "\(source)/listed/d: It cannot be read: Permission denied.",
                "\(source)/secret: It cannot be opened: Permission denied.",
            ])
        #expect(backup.statistics.warnings == 4)
        #expect(try fixture.paths(backup.node) == ["a", "listed"])
        #expect(try fixture.check(readData: true).errors == [])
    }

    @Test(.enabled(if: Capability.isRoot, "needs root to become somebody else"))
    func `unchanged files are not even opened`() throws {
        let fixture = try MemoryFixture("unchanged")
        try fixture.initialize()
        let scratch = try TemporaryDirectory("unchanged-source")
        let script = """
            chmod 755 .; mkdir src; cd src; echo a > a; head -c 600000 /dev/urandom > large; : > empty; echo n > new
            chmod 000 a large empty new
            """
        #expect(try ShellScript(script).run(in: scratch)?.status == 0)
        #expect(try ShellScript("chmod 711 .; chmod 777 spool").run(in: fixture.directory)?.status == 0)
        let first = try fixture.backup(scratch.path("src"))
        #expect(first.statistics.filesNew == 4)
        // Its time of change tells that it is another file, whatever its size and time of modification.
        #expect(
            try ShellScript("cd src; touch -r new t; echo m > new; touch -r t new; rm t").run(in: scratch)?.status == 0)
        let second = try #require(
            try FileSystemIdentity.asNobody { try fixture.backup(scratch.path("src"), previous: first.node) })
        #expect(second.statistics.filesUnmodified == 3)
        #expect(fixture.observer.messages == ["\(scratch.path("src"))/new: It cannot be opened: Permission denied."])
        #expect(try fixture.paths(second.node) == ["a", "empty", "large"])
    }

    @Test func `a previous tree whose blobs are gone is read again`() throws {
        let fixture = try MemoryFixture("lost")
        try fixture.initialize()
        let scratch = try TemporaryDirectory("lost-source")
        try scratch.write("content", to: "src/f")
        let first = try fixture.backup(scratch.path("src"))
        for key in fixture.keys(.index) + fixture.keys(.pack) { fixture.memory.replace(key, with: nil) }
        let second = try fixture.backup(scratch.path("src"), previous: first.node)
        #expect(second.statistics.filesUnmodified == 0)
        fixture.memory.replace("snapshots/" + first.snapshot.hexadecimal, with: nil)
        #expect(try fixture.check(readData: true).errors == [])
    }

    @Test func `a root that is missing or closed is an error with its name`() throws {
        let fixture = try MemoryFixture("no-root")
        try fixture.initialize()
        let error = #expect(throws: ArchiveError.self) { try fixture.backup("/nonexistent/place") }
        #expect(error?.code == .unreadableRoot)
        #expect(error?.message == "/nonexistent/place cannot be read: No such file or directory.")
        #expect(fixture.keys(.snapshot) == [] && fixture.spooled == [])
    }
}
