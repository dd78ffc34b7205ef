import Glibc
import JSON
import JSONRPC
import PluginProtocol
import TestSupport
import Testing

/// What storage-filesystem does beyond the contract.
@Suite struct `Plugin storage-filesystem` {
    private let executable = Places.plugin("stillpoint-storage-filesystem")

    private func status(_ path: String) throws -> stat {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw Conversation.Failure(description: "no file \(path)") }
        return status
    }

    /// The error of `open`; nil when it succeeds.
    private func refusal(_ config: JSONObject, mode: String = "rw") throws -> RPCError? {
        let process = try PluginProcess(executable)
        do {
            try process.conversation.open(config, mode: mode)
            _ = try process.close()
            return nil
        } catch let error as RPCError { return error }
    }

    @Test func `an object is a link to the file in the spool, and directories are 0700`() throws {
        let fixture = try StorageFixture(.filesystem)
        let path = try fixture.spooled([1, 2, 3], "a")
        _ = try fixture.host.call("storage.put", fixture.putParameters("data/ab/abc", path, size: 3))
        let object = try status(fixture.repository + "/data/ab/abc")
        #expect(try object.st_ino == status(path).st_ino)
        #expect(object.st_mode & 0o7777 == 0o400)
        #expect(try status(fixture.repository + "/data/ab").st_mode & 0o7777 == 0o700)
        #expect(try TemporaryDirectory.names(in: fixture.repository) == ["data"])
    }

    @Test func `the same put again, as after a lost answer, is success`() throws {
        let fixture = try StorageFixture(.filesystem)
        let path = try fixture.spooled([1, 2, 3], "a")
        let parameters = fixture.putParameters("config", path, size: 3, ifAbsent: true)
        #expect(try fixture.host.call("storage.put", parameters) == ["size": 3])
        #expect(try fixture.host.call("storage.put", parameters) == ["size": 3, "existed": true])
    }

    @Test func `a file that cannot be linked is copied, and its digest checked`() throws {
        let fixture = try StorageFixture(.filesystem)
        // Not 0400, so that it must not become an object by link.
        let path = try fixture.directory.write("hello", to: "in/a")
        var parameters = fixture.putParameters("config", path, size: 5)
        #expect(try fixture.code("storage.put", parameters) == .integrity)
        #expect(try fixture.keys() == [])
        parameters["sha256"] = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        #expect(try fixture.host.call("storage.put", parameters) == ["size": 5])
        #expect(try status(fixture.repository + "/config").st_mode & 0o7777 == 0o400)
        #expect(try status(fixture.repository + "/config").st_ino != status(path).st_ino)
        #expect(try fixture.get("config") == Array("hello".utf8))
        #expect(try TemporaryDirectory.names(in: fixture.repository + "/.stillpoint-tmp") == [])
    }

    @Test func `open offers the directory for the spool, for writing only`() throws {
        let directory = try TemporaryDirectory("storage")
        mkdir(directory.path("repo"), 0o700)
        for (mode, expected) in [("rw", ["spool_near": .string(directory.path("repo"))]), ("ro", [:])]
            as [(String, JSONObject)]
        {
            let process = try PluginProcess(executable)
            let config: JSONObject = ["path": .string(directory.path("repo//")), "create": false]
            #expect(try process.conversation.open(config, mode: mode) == expected)
        }
    }

    @Test func `a missing directory is not found, or made on request`() throws {
        let directory = try TemporaryDirectory("storage")
        let config: JSONObject = ["path": .string(directory.path("a/b/repo"))]
        let missing = try refusal(config)
        #expect(missing?.code == .notFound)
        #expect(missing?.message.contains("set 'create' to true") == true)
        var creating = config
        creating["create"] = true
        #expect(try refusal(creating, mode: "ro")?.code == .notFound)
        let process = try PluginProcess(executable)
        try process.conversation.open(creating)
        #expect(try status(directory.path("a/b/repo")).st_mode & 0o7777 == 0o700)
        #expect(try process.conversation.call("check") == [:])
    }

    @Test(
        arguments: [
            (["path": "relative"], "'config.path' must match the pattern ^/"),
            (["path": "/"], "must not be the root directory"),
            (["path": "/tmp/../etc"], "must not contain '..'"), (["path": "/etc/hostname"], "is not a directory"),
            (["path": "/tmp", "pth": "x"], "'config.pth' is not known"),
        ] as [(JSONObject, String)])
    func `a configuration that is wrong is bad_config`(config: JSONObject, message: String) throws {
        let error = try refusal(config)
        #expect(error?.code == .badConfig)
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "no error")")
    }

    @Test func `another directory in its place, as after an unmount, is unavailable`() throws {
        let fixture = try StorageFixture(.filesystem)
        try fixture.put("config", [1])
        #expect(rename(fixture.repository, fixture.repository + "-old") == 0)
        #expect(mkdir(fixture.repository, 0o700) == 0)
        #expect(try fixture.code("storage.stat", ["key": "config"]) == .unavailable)
        #expect(try fixture.code("storage.list", ["prefix": "", "limit": 1]) == .unavailable)
        #expect(throws: RPCError.self) { try fixture.put("config", [2]) }
        #expect(try TemporaryDirectory.names(in: fixture.repository) == [])
    }

    @Test func `a link among the directories is an error, not an absence`() throws {
        let fixture = try StorageFixture(.filesystem)
        symlink("/nonexistent", fixture.repository + "/data")
        #expect(try fixture.code("storage.stat", ["key": "data/x"]) == .unavailable)
        #expect(throws: RPCError.self) { try fixture.put("data/x", [1]) }
    }

    @Test func `a key below an object is a conflict, and positively absent`() throws {
        let fixture = try StorageFixture(.filesystem)
        try fixture.put("a", [1])
        #expect { try fixture.put("a/b", [1]) } throws: { ($0 as? RPCError)?.code == .conflict }
        #expect(try fixture.code("storage.stat", ["key": "a/b"]) == .notFound)
        try fixture.put("c/d", [1])
        #expect { try fixture.put("c", [1]) } throws: { ($0 as? RPCError)?.code == .conflict }
    }

    @Test func `unfinished files of a process that died an hour ago are removed, younger ones kept`() throws {
        let directory = try TemporaryDirectory("storage")
        try directory.write("new", to: "repo/.stillpoint-tmp/1-2-3-4")
        // The age is that of the inode (ctime), which nobody can set back; so only the young one can be shown here.
        let fixture = try StorageFixture(.filesystem, in: directory)
        #expect(try TemporaryDirectory.names(in: fixture.repository + "/.stillpoint-tmp") == ["1-2-3-4"])
        #expect(try fixture.keys() == [])
    }

    @Test func `calls run beside a get whose reader is slow, and the get can be cancelled`() throws {
        let fixture = try StorageFixture(.filesystem)
        try fixture.put("data/aa/x", StorageFixture.bytes(3_000_000))
        let path = fixture.directory.path("out/fifo")
        #expect(mkfifo(path, 0o600) == 0)
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        let id = try fixture.host.send("storage.get", ["key": "data/aa/x", "path": .string(path)])
        // Answered although the get cannot go on.
        #expect(try fixture.host.call("storage.stat", ["key": "data/aa/x"])["size"] == 3_000_000)
        try fixture.host.notify("cancel", ["request": .string(id)])
        let response = try #require(try fixture.host.response())
        #expect(response.id == .text(id))
        #expect(response.outcome == .failure(RPCError(.cancelled, "cancelled on request")))
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `asked to end during a get that hangs, it ends well`(signal: Int32) throws {
        let fixture = try StorageFixture(.filesystem)
        try fixture.put("data/aa/x", StorageFixture.bytes(3_000_000))
        let path = fixture.directory.path("out/fifo")
        #expect(mkfifo(path, 0o600) == 0)
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        try fixture.host.send("storage.get", ["key": "data/aa/x", "path": .string(path)])
        var byte: UInt8 = 0
        #expect(eventually { read(reader, &byte, 1) == 1 })
        kill(fixture.process.pid, signal)
        #expect(try fixture.process.wait() == 0)
    }

    @Test func `a reader of a FIFO that goes away, or is not there, fails the get and not the plugin`() throws {
        let fixture = try StorageFixture(.filesystem)
        try fixture.put("data/aa/x", StorageFixture.bytes(3_000_000))
        let path = fixture.directory.path("out/fifo")
        #expect(mkfifo(path, 0o600) == 0)
        let parameters: JSONObject = ["key": "data/aa/x", "path": .string(path)]
        #expect(try fixture.code("storage.get", parameters) == .unavailable)
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        try fixture.host.send("storage.get", parameters)
        var byte: UInt8 = 0
        #expect(eventually { read(reader, &byte, 1) == 1 })
        close(reader)
        guard case .failure(let error)? = try fixture.host.response()?.outcome else {
            Issue.record("no error")
            return
        }
        #expect(error.code == .unavailable)
        #expect(try fixture.keys() == ["data/aa/x"])
    }

    @Test func `two thousand calls leave no descriptor open`() throws {
        let fixture = try StorageFixture(.filesystem)
        try fixture.put("data/aa/x", [1, 2, 3])
        func descriptors() throws -> Int { try TemporaryDirectory.names(in: "/proc/\(fixture.process.pid)/fd").count }
        let before = try descriptors()
        for round in 0..<500 {
            _ = try fixture.host.call("storage.stat", ["key": "data/aa/x"])
            _ = try fixture.host.call("storage.list", ["prefix": "data/", "limit": 10])
            _ = try fixture.host.failure("storage.stat", ["key": .string("data/bb/\(round)")])
            _ = try fixture.host.failure("storage.get", ["key": "data/aa/x", "path": "/nonexistent/x"])
        }
        #expect(try descriptors() == before)
    }
}

extension TemporaryDirectory {
    /// The names in any directory, sorted.
    fileprivate static func names(in path: String) throws -> [String] {
        guard let handle = opendir(path) else { throw Conversation.Failure(description: "no directory \(path)") }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
