import Glibc
import JSON
import JSONRPC
import PluginHost
import PluginProtocol
import TestSupport
import Testing
import Threads

@Suite struct `Storage plugins` {
    /// `count` bytes that differ from place to place.
    private func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) } }

    @Test(arguments: ["", "file", "near", "rename"])
    func `objects come back whole and in parts`(variant: String) throws {
        let host = try HostFixture()
        let storage = try host.pythonStorage(fault: variant)
        for count in [0, 1, 131_072, 131_073, 3_000_000] {
            let object = bytes(count)
            #expect(try host.put(object, as: "data/a\(count)", into: storage) == PutResult(size: Int64(count)))
            #expect(try storage.get(key: "data/a\(count)") == object)
            #expect(try storage.stat(key: "data/a\(count)").size == Int64(count))
        }
        let object = bytes(3_000_000)
        for (offset, length) in [(0, 0), (0, 1), (2_999_999, 1), (5, 131_072), (5, 131_073), (100, 2_000_000)] {
            let part = try storage.get(key: "data/a3000000", offset: Int64(offset), length: Int64(length))
            #expect(part == Array(object[offset..<offset + length]))
        }
        #expect(try storage.get(key: "data/a3000000", offset: 2_000_000) == Array(object[2_000_000...]))
        #expect(host.record.processes.count == 1)
        try host.finish()
    }

    @Test(arguments: ["", "file"])
    func `what is not there is told by its code`(variant: String) throws {
        let host = try HostFixture()
        let storage = try host.pythonStorage(fault: variant)
        try host.put([1, 2, 3], as: "there", into: storage)
        #expect(try host.failure { try storage.get(key: "absent") }.isNotFound)
        #expect(try host.failure { try storage.stat(key: "absent") }.isNotFound)
        let error = try host.failure { try storage.get(key: "there", offset: 2, length: 2) }
        #expect(error.remote?.code == .invalidRange)
        try storage.delete(key: "there")
        try storage.delete(key: "there")
        #expect(try host.failure { try storage.get(key: "there") }.isNotFound)
        try storage.check()
        try host.finish()
    }

    @Test func `if_absent keeps what is there`() throws {
        let host = try HostFixture()
        let storage = try host.pythonStorage()
        #expect(try host.put([1], as: "lock", into: storage, ifAbsent: true) == PutResult(size: 1))
        #expect(
            try host.put([1], as: "lock", into: storage, ifAbsent: true) == PutResult(size: 1, existed: true))
        let error = try host.failure { try host.put([2], as: "lock", into: storage, ifAbsent: true) }
        #expect(error.remote?.code == .conflict)
        #expect(try storage.get(key: "lock") == [1])
        try host.finish()
    }

    @Test(arguments: ["", "duplicates"])
    func `a list has every key once, in order, over all pages`(variant: String) throws {
        let host = try HostFixture()
        let storage = try host.pythonStorage(fault: variant)
        let keys = (0..<10).map { "data/k\($0)" } + ["index/a", "keys"]
        for key in keys.reversed() { try host.put(Array(key.utf8), as: key, into: storage) }
        #expect(try storage.list(prefix: "").map(\.key.text) == keys)
        #expect(try storage.list(prefix: "data/").map(\.key.text) == Array(keys.prefix(10)))
        #expect(try storage.list(prefix: "data/k3").map(\.size) == [7])
        #expect(try storage.list(prefix: "none/") == [])
        try host.finish()
    }

    @Test(arguments: [
        ("cursor-loop", "the cursor 'again' a second time"),
        ("empty-pages", "more than 100 empty pages one after the other"),
        ("bad-key", "a result of the wrong shape: 'result.entries[0].key' must be a key"),
        ("stranger", "the key 'zz', which does not start with 'data/'"),
    ])
    func `a list that cannot be is refused`(fault: String, reason: String) throws {
        let host = try HostFixture()
        let storage = try host.pythonStorage(fault: fault)
        let error = try host.failure { try storage.list(prefix: "data/") }
        #expect(error.code == .protocolViolation)
        #expect(error.message.contains(reason), "\(error.message)")
        try host.finish()
    }

    @Test(arguments: [
        ("get-size", 10, "announced 11 bytes and wrote 10"),
        ("half", 10, "announced 10 bytes and wrote 5"),
        ("surplus", 10, "announced 10 bytes and wrote 11"),
        ("symlink", 10, "left a symbolic link"),
        ("never-opens", 10, "left no file"),
        ("get-size", 200_000, "announced 200001 bytes and wrote 200000"),
        ("half", 200_000, "announced 200000 bytes and wrote 100000"),
        ("symlink", 200_000, "left a symbolic link"),
        ("never-opens", 200_000, "left something that is no regular file"),
    ])
    func `bytes that are not those announced are refused`(fault: String, count: Int, reason: String) throws {
        let host = try HostFixture()
        let storage = try host.pythonStorage(fault: fault)
        try host.put(bytes(count), as: "a", into: storage)
        // With its length, so that small ones go through a file and large ones through a FIFO.
        let length = fault == "get-size" && count > 131_072 ? nil : Int64(count)
        let error = try host.failure { try storage.get(key: "a", offset: 0, length: length) }
        #expect(error.code == .integrity)
        #expect(error.message.contains(reason), "\(error.message)")
        #expect(host.record.processes.count == 1)
        try host.finish()
    }

    @Test func `more bytes through a FIFO than were asked for end the plugin`() throws {
        let host = try HostFixture()
        let storage = try host.pythonStorage(fault: "surplus")
        try host.put(bytes(200_000), as: "a", into: storage)
        let error = try host.failure { try storage.get(key: "a", offset: 0, length: 200_000) }
        #expect([.protocolViolation, .integrity].contains(error.code))
        #expect(error.message.contains("wrote more than the 200000 bytes"), "\(error.message)")
        try host.finish()
    }

    @Test(arguments: ["opens-only", "stops-half-way"])
    func `a FIFO that is held open without bytes ends by the idle deadline`(fault: String) throws {
        let host = try HostFixture(.brief { $0.transferIdle = .milliseconds(300) })
        let storage = try host.pythonStorage(fault: fault)
        try host.put(bytes(200_000), as: "a", into: storage)
        let error = try host.failure { try storage.get(key: "a") }
        #expect(error.code == .timeout)
        #expect(error.message.contains("made no progress for 0.3 seconds"), "\(error.message)")
        try host.finish()
    }

    @Test func `a put that stored something else is no success`() throws {
        let host = try HostFixture()
        let storage = try host.pythonStorage(fault: "put-size")
        let error = try host.failure { try host.put([1, 2, 3], as: "a", into: storage) }
        #expect(error.code == .integrity)
        #expect(error.message.contains("says that it stored 2 bytes of 3"))
        try host.finish()
    }

    @Test func `only a regular file of the size that is said is put`() throws {
        let host = try HostFixture()
        let storage = try host.pythonStorage()
        let path = "\(storage.spoolIn)/object"
        #expect(symlink("/etc/passwd", path) == 0)
        let put = { try storage.put(key: "a", size: 1, sha256: "", path: path) }
        #expect(try host.failure(put).code == .spool)
        unlink(path)
        #expect(mkfifo(path, 0o600) == 0)
        #expect(try host.failure(put).code == .spool)
        unlink(path)
        #expect(try host.failure(put).description.contains("No such file or directory"))
        try host.finish()
    }

    @Test func `keys outside of the grammar never reach a plugin`() throws {
        let host = try HostFixture()
        let storage = try host.pythonStorage()
        for key in ["", "../a", "/a", "a//b", ".hidden", "a b", "a\"b"] {
            #expect(try host.failure { try storage.stat(key: key) }.code == .invalidConfiguration)
        }
        try host.finish()
    }

    @Test func `a configuration that breaks the schema is refused with every reason`() throws {
        let host = try HostFixture()
        let plugin = try host.plugin(PythonStorage.script)
        let error = try host.failure {
            try host.supervisor.openStorage(
                plugin, instance: "test", mode: .readOnly, config: ["page": "many", "pth": "/x"],
                cancellation: .init())
        }
        #expect(error.code == .invalidConfiguration)
        for reason in ["'config.path' is missing", "'config.pth' is not known", "'config.page' must be"] {
            #expect(error.description.contains(reason), "\(error.description)")
        }
        try host.finish()
    }

    @Test func `many threads put and get at once`() throws {
        let host = try HostFixture()
        let storage = try host.pythonStorage()
        let objects = try Callers.run(8) { number in
            let object = [UInt8](repeating: UInt8(number), count: 70_000 + number)
            return try (0..<4).map { round in
                let key = "data/\(number)-\(round)"
                try host.put(object, as: key, into: storage)
                return try storage.get(key: key) == object
            }
        }
        #expect(objects == Array(repeating: [true, true, true, true], count: 8))
        #expect(host.record.processes.count <= 2)
        try host.finish()
    }
}
