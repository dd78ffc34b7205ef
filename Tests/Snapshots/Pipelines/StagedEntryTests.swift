import Glibc
import SnapshotModel
import TestSupport
import Testing

@testable import Pipelines

@Suite struct StagedEntryTests {
    private let directory: TemporaryDirectory
    private let run = try? RunID("01m828bm90yj1f7mf4p0x5y7dt")
    private let application = try? ApplicationName("app")

    init() throws { directory = try TemporaryDirectory("staged") }

    private func entry(_ target: String, mounts: MountTable = MountTable(points: [])) throws -> StagedEntry {
        try StagedEntry(
            target: directory.path(target), isDirectory: true, application: try #require(application),
            run: try #require(run), number: 0, mounts: mounts)
    }

    /// Builds a new directory with the file `f`, "new".
    private func stage(_ entry: StagedEntry) throws {
        try entry.prepare()
        #expect(mkdir(entry.stage, 0o700) == 0)
        try directory.write("new", to: String(entry.stage.dropFirst(directory.path.count + 1)) + "/f")
        try entry.complete()
    }

    private func text(_ name: String) -> String? {
        (try? directory.read(name)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `a directory is exchanged, and the old one is removed at the end`() throws {
        try directory.write("old", to: "d/f")
        let entry = try entry("d")
        try stage(entry)
        #expect(text("d/f") == "old")
        try entry.swap()
        #expect(text("d/f") == "new")
        #expect(text(String(entry.oldPlace.dropFirst(directory.path.count + 1)) + "/f") == "old")
        try entry.discard()
        #expect(try directory.names() == ["d"])
    }

    @Test func `rolled back the old one is as it was, whoever does it`() throws {
        try directory.write("old", to: "d/f")
        for isAnotherProcess in [false, true] {
            let entry = try entry("d")
            try stage(entry)
            try entry.swap()
            let last = isAnotherProcess ? StagedEntry(resuming: entry.record) : entry
            try last.rollBack()
            #expect(text("d/f") == "old")
            try last.rollBack()
            #expect(text("d/f") == "old")
            try last.discard()
            #expect(try directory.names() == ["d"])
        }
    }

    @Test func `killed before the exchange nothing is exchanged back`() throws {
        try directory.write("old", to: "d/f")
        let entry = try entry("d")
        try stage(entry)
        let resumed = StagedEntry(resuming: entry.record)
        try resumed.rollBack()
        #expect(text("d/f") == "old")
        try resumed.discard()
        #expect(try directory.names() == ["d"])
    }

    @Test func `killed between the two steps of a file system without exchange the old one comes back`() throws {
        try directory.write("old", to: "d/f")
        let entry = try entry("d")
        try stage(entry)
        // The old one lies aside; the new one is, or is not yet, in place.
        for isNewInPlace in [false, true] {
            #expect(rename(directory.path("d"), entry.stage + "-aside") == 0)
            if isNewInPlace { #expect(rename(entry.stage, directory.path("d")) == 0) }
            try StagedEntry(resuming: entry.record).rollBack()
            #expect(text("d/f") == "old")
        }
        try StagedEntry(resuming: entry.record).discard()
        #expect(try directory.names() == ["d"])
    }

    @Test func `where nothing was, nothing is again`() throws {
        let entry = try entry("above/d")
        try stage(entry)
        try entry.swap()
        #expect(text("above/d/f") == "new")
        try entry.rollBack()
        try entry.discard()
        #expect(access(directory.path("above/d"), F_OK) != 0)
    }

    @Test func `a symbolic link to a volume stays, and what it points at is exchanged`() throws {
        try directory.write("old", to: "real/d/f")
        #expect(symlink("real/d", directory.path("link")) == 0)
        let entry = try entry("link")
        #expect(entry.target == directory.path("real/d"))
        try stage(entry)
        try entry.swap()
        try entry.discard()
        #expect(text("link/f") == "new")
        var buffer = [CChar](repeating: 0, count: 100)
        #expect(readlink(directory.path("link"), &buffer, buffer.count) == 6)
    }

    @Test func `a link to nothing and a file system within are refused`() throws {
        #expect(symlink("nowhere", directory.path("link")) == 0)
        #expect(throws: PipelineError.self) { try entry("link") }
        try directory.write("x", to: "d/in/x")
        #expect(throws: PipelineError.self) {
            try entry("d", mounts: MountTable(points: [directory.path("d/in")]))
        }
        _ = try entry("d", mounts: MountTable(points: [directory.path("din")]))
    }

    // MARK: Mount points

    /// A bind mount on the same file system looks like any directory; only the mount table tells.
    private func mountPoint() throws -> StagedEntry {
        try directory.write("old", to: "m/f")
        try directory.write("deep", to: "m/sub/deep")
        try directory.write("kept", to: "m/lost+found/kept")
        #expect(chmod(directory.path("m"), 0o711) == 0)
        let entry = try entry("m", mounts: MountTable(points: [directory.path("m")]))
        #expect(entry.record.isMountPoint)
        try stage(entry)
        return entry
    }

    private var permissions: mode_t {
        var status = stat()
        return stat(directory.path("m"), &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    @Test func `of a mount point the children are exchanged`() throws {
        let entry = try mountPoint()
        try entry.swap()
        #expect(text("m/f") == "new" && text("m/sub/deep") == nil && text("m/lost+found/kept") == "kept")
        #expect(permissions == 0o700)
        try entry.discard()
        #expect(try ShellScript("ls -A m").run(in: directory)?.output == "f\nlost+found\n")
    }

    @Test func `names that are not UTF-8 move with the others`() throws {
        let entry = try mountPoint()
        let script = ShellScript("printf x >m/$'\\xff'")
        #expect(try script.run(in: directory)?.status == 0)
        try entry.swap()
        #expect(try ShellScript("ls m").run(in: directory)?.output == "f\nlost+found\n")
        try entry.rollBack()
        #expect(try ShellScript("cat m/$'\\xff'").run(in: directory)?.output == "x")
        try entry.discard()
    }

    @Test func `of a mount point the children come back`() throws {
        let entry = try mountPoint()
        try entry.swap()
        let resumed = StagedEntry(resuming: entry.record)
        try resumed.rollBack()
        #expect(text("m/f") == "old" && text("m/sub/deep") == "deep" && text("m/lost+found/kept") == "kept")
        #expect(permissions == 0o711)
        try resumed.discard()
        #expect(try ShellScript("ls -A m").run(in: directory)?.output == "f\nlost+found\nsub\n")
    }

    @Test func `killed while children move out they come back`() throws {
        let entry = try mountPoint()
        let moving = entry.stage.dropLast("new".count) + "moving"
        #expect(mkdir(String(moving), 0o711) == 0)
        #expect(rename(directory.path("m/sub"), moving + "/sub") == 0)
        let resumed = StagedEntry(resuming: entry.record)
        try resumed.rollBack()
        try resumed.discard()
        #expect(text("m/f") == "old" && text("m/sub/deep") == "deep")
        #expect(try ShellScript("ls -A m").run(in: directory)?.output == "f\nlost+found\nsub\n")
    }

    @Test func `killed while children move in the old ones come back`() throws {
        let entry = try mountPoint()
        try entry.swap()
        // As if the last child had not been moved in yet.
        #expect(rename(directory.path("m/f"), entry.stage + "/f") == 0)
        let resumed = StagedEntry(resuming: entry.record)
        try resumed.rollBack()
        try resumed.discard()
        #expect(text("m/f") == "old" && text("m/sub/deep") == "deep")
        #expect(try ShellScript("ls -A m").run(in: directory)?.output == "f\nlost+found\nsub\n")
    }

    @Test(.enabled(if: getuid() == 0)) func `a real mount point is found as such`() throws {
        #expect(mkdir(directory.path("t"), 0o755) == 0)
        let mounted = try ShellScript("mount -t tmpfs -o size=1m tmpfs t").run(in: directory)
        // Containers may forbid it.
        guard mounted?.status == 0 else { return }
        defer { umount2(directory.path("t"), Int32(MNT_DETACH)) }
        try directory.write("old", to: "t/f")
        let entry = try entry("t", mounts: .current())
        #expect(entry.record.isMountPoint)
        try stage(entry)
        try entry.swap()
        #expect(text("t/f") == "new")
        try entry.rollBack()
        #expect(text("t/f") == "old")
        try entry.discard()
    }

    @Test func `the mount table is read with its escapes`() {
        let table = MountTable(
            mountinfo: Array(
                "22 1 0:21 / /proc rw,nosuid shared:2 - proc proc rw\n30 1 8:1 /x /srv/a\\040b rw - ext4 /dev/sda1 rw\n"
                    .utf8))
        #expect(table.points == ["/proc", "/srv/a b"])
        #expect(table.isMountPoint("/srv/a b"))
        #expect(table.firstBelow("/srv") == "/srv/a b")
        #expect(table.firstBelow("/sr") == nil)
    }
}
