import Glibc
import PluginHost
import PluginProtocol
import TestSupport
import Testing

@Suite struct `The spool` {
    private func sweep(_ root: String, prefix: String = "run-") -> [String] {
        var found: [String] = []
        OwnedDirectory.sweep(root, prefix: prefix) { path, killed in
            found.append("\(path.dropFirst(root.count + 1)) \(killed)")
        }
        return found
    }

    @Test func `names are never used twice and everything is private`() throws {
        let directory = try TemporaryDirectory("spool")
        let spool = try Spool(root: directory.path("a/b"), swept: { _, _ in })
        let first = try spool.makeShared(name: "my plugin")
        let second = try spool.makeShared(name: "my plugin")
        #expect(first.input != second.input)
        #expect(first.input.hasSuffix("/1-my_plugin/in"))
        let process = try first.makeProcessSpool()
        #expect(process.nextOutputPath() != process.nextOutputPath())
        for path in [first.input, process.output, process.temporary, directory.path("a/b")] {
            var status = Glibc.stat()
            #expect(lstat(path, &status) == 0 && status.st_mode == S_IFDIR | 0o700, "\(path)")
        }
        first.remove()
        #expect(access(first.input, F_OK) != 0)
        spool.remove()
        #expect(rmdir(directory.path("a/b")) == 0)
    }

    @Test func `a directory whose owner lives is left alone, one whose owner is gone is removed`() throws {
        let directory = try TemporaryDirectory("spool")
        let owned = try OwnedDirectory(in: directory.path, prefix: "run-")
        try directory.write("1 2 3\n", to: "run-left/owner")
        try directory.write("x", to: "run-left/1-a/in/object")
        #expect(symlink("/etc", directory.path("run-left/1-a/link")) == 0)
        try directory.write("x", to: "run-foreign/file")
        try directory.write("x", to: "other-left/owner")
        #expect(sweep(directory.path) == ["run-left 0"])
        #expect(access("/etc/passwd", F_OK) == 0)
        #expect(access(owned.path, F_OK) == 0)
        #expect(try directory.names().filter { !$0.hasPrefix("run-") } == ["other-left"])
        #expect(access(directory.path("run-foreign/file"), F_OK) == 0)
        owned.remove()
        #expect(access(owned.path, F_OK) != 0)
    }

    @Test func `a recorded process is ended, another with its number is not`() throws {
        let directory = try TemporaryDirectory("spool")
        /// A process that leads a group of its own, and when it started.
        func process() throws -> (pid: pid_t, started: UInt64) {
            let script = ShellScript("setsid sleep 600 >&- 2>&- & echo $!")
            let output = try #require(try script.run(in: directory)?.output.dropLast())
            let pid = try #require(pid_t(output))
            return (pid, try #require(ProcessTable.startTime(of: pid)))
        }
        let (recorded, other) = (try process(), try process())
        defer { kill(other.pid, SIGKILL) }
        let boot = try #require(try ShellScript("cat /proc/sys/kernel/random/boot_id").run(in: directory)).output
        try directory.write("1 2 \(boot.dropLast()) here\n", to: "run-left/owner")
        try directory.write(
            "\(recorded.pid) \(recorded.started)\n\(other.pid) \(other.started &+ 1)\n1 1\nnonsense\n",
            to: "run-left/processes")
        // The same record of another boot says nothing about this one.
        try directory.write("1 2 another-boot here\n", to: "run-older/owner")
        try directory.write("\(other.pid) \(other.started)\n", to: "run-older/processes")
        #expect(sweep(directory.path) == ["run-left 1", "run-older 0"])
        #expect(!ProcessTable.hasLivingMember(group: recorded.pid))
        #expect(ProcessTable.isLiving(other.pid))
    }

    @Test func `a spool near the store is made once, and leftovers there are swept`() throws {
        let directory = try TemporaryDirectory("spool")
        let spool = try Spool(root: directory.path("run"), swept: { _, _ in })
        let shared = try spool.makeShared(name: "a")
        try directory.write("1 2 3\n", to: "store/.stillpoint-spool-left/owner")
        let place = try #require(SpoolPath(directory.path("store")))
        var swept: [String] = []
        try shared.moveNear(place) { path, _ in swept.append(path) }
        #expect(swept == [directory.path("store/.stillpoint-spool-left")])
        let near = shared.buildDirectory
        #expect(near.hasPrefix(directory.path("store/.stillpoint-spool-")) && near.hasSuffix("/in"))
        try shared.moveNear(place) { _, _ in }
        #expect(shared.buildDirectory == near)
        shared.remove()
        #expect(rmdir(directory.path("store")) == 0)
        spool.remove()
    }

    @Test func `a root that cannot be used says why`() throws {
        let directory = try TemporaryDirectory("spool")
        let spaces = try #require(throws: PluginHostError.self) {
            try Spool(root: directory.path("with spaces"), swept: { _, _ in })
        }
        #expect(
            spaces.message.contains("'\(directory.path("with spaces"))' cannot be used: it must be an absolute path"))
        let file = try directory.write("x", to: "file")
        let blocked = try #require(throws: PluginHostError.self) { try Spool(root: file, swept: { _, _ in }) }
        #expect(blocked.description.hasSuffix("open \(file): Not a directory"))
    }
}
