import Glibc
import JSON
import JSONRPC
import PluginProtocol
import TestSupport
import Testing
import Threads

/// What every storage plugin must do; the cases are those of protocol/README.md, Conformance.
@Suite struct `Contract of storage plugins` {
    typealias Kind = StorageFixture.Kind

    @Test(arguments: Kind.allCases)
    func `describe is answered before open, twice the same, and an unknown version is refused`(kind: Kind) throws {
        let process = try PluginProcess(kind.executable)
        let host = process.conversation
        let first = try PluginDescription(try host.call("describe", ["protocols": [1, 2]]))
        #expect(first.kinds == [.storage])
        #expect(first.features.consistency == .strong)
        #expect(first.features.ifAbsent == .atomic)
        #expect(try PluginDescription(try host.call("describe", ["protocols": [1]])) == first)
        #expect(try host.failure("describe", ["protocols": [99]])?.code == .unsupported)
        #expect(try host.failure("storage.stat", ["key": "config"]) != nil)
        #expect(try process.close() == 0)
    }

    @Test(arguments: Kind.allCases)
    func `a second open and an unknown method are refused, notifications ignored, and the plugin lives`(
        kind: Kind
    ) throws {
        let fixture = try StorageFixture(kind)
        #expect(throws: RPCError.self) { try fixture.host.open(["path": .string(fixture.repository)]) }
        #expect(try fixture.code("storage.rename", ["key": "a"]) == .methodNotFound)
        try fixture.host.notify("cancel", ["request": "nobody"])
        try fixture.host.notify("x.unknown", [:])
        try fixture.put("config", [1, 2, 3])
        #expect(try fixture.get("config") == [1, 2, 3])
        #expect(try fixture.process.close() == 0)
    }

    @Test(arguments: Kind.allCases)
    func `a configuration without path is bad_config and names it`(kind: Kind) throws {
        let process = try PluginProcess(kind.executable)
        #expect {
            try process.conversation.open([:])
        } throws: { error in
            guard let error = error as? RPCError else { return false }
            return error.code == .badConfig && error.message.contains("path")
        }
    }

    @Test(arguments: Kind.allCases)
    func `objects of many sizes come back byte for byte`(kind: Kind) throws {
        let fixture = try StorageFixture(kind)
        for size in [0, 1, 2, 511, 512, 513, 4095, 4096, 4097, 65_535, 65_536, 65_537, (1 << 20) - 1, (1 << 20) + 1] {
            let bytes = StorageFixture.bytes(size, seed: UInt64(size))
            let key = "data/\(size % 10)/o\(size)"
            #expect(try fixture.put(key, bytes) == ["size": .integer(Int64(size))])
            #expect(try fixture.get(key) == bytes)
            #expect(try ObjectStat(try fixture.host.call("storage.stat", ["key": .string(key)])).size == Int64(size))
        }
        let tricky = Array("{\"jsonrpc\":\"2.0\",\"id\":\"1\"}\r\n\u{0}\u{0}\n".utf8) + Array(0...255)
        try fixture.put("tricky", tricky)
        #expect(try fixture.get("tricky") == tricky)
    }

    @Test(arguments: Kind.allCases)
    func `the file that is stored stays as it was, and is not the object's name`(kind: Kind) throws {
        let fixture = try StorageFixture(kind)
        let path = try fixture.spooled([1, 2, 3], "a")
        _ = try fixture.host.call("storage.put", fixture.putParameters("config", path, size: 3))
        var status = stat()
        #expect(lstat(path, &status) == 0 && status.st_mode & 0o7777 == 0o400 && status.st_size == 3)
        unlink(path)
        #expect(try fixture.get("config") == [1, 2, 3])
        #expect(lstat(fixture.repository + "/config", &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o400)
    }

    @Test(arguments: Kind.allCases)
    func `a file that is shorter, longer or missing stores nothing`(kind: Kind) throws {
        let fixture = try StorageFixture(kind)
        let path = try fixture.spooled([1, 2, 3], "a")
        #expect(try fixture.code("storage.put", fixture.putParameters("x/y", path, size: 4)) == .integrity)
        #expect(try fixture.code("storage.put", fixture.putParameters("x/y", path, size: 2)) == .integrity)
        let missing = fixture.directory.path("in/none")
        #expect(try fixture.code("storage.put", fixture.putParameters("x/y", missing, size: 2)) == .unavailable)
        #expect(try fixture.code("storage.stat", ["key": "x/y"]) == .notFound)
        #expect(try fixture.keys() == [])
    }

    @Test(arguments: Kind.allCases)
    func `an object is replaced whole, whatever the sizes`(kind: Kind) throws {
        let fixture = try StorageFixture(kind)
        for size in [10, 100_000, 3, 3, 0, 7] {
            let bytes = StorageFixture.bytes(size, seed: UInt64(size + 7))
            try fixture.put("index/one", bytes)
            #expect(try fixture.get("index/one") == bytes)
        }
        #expect(try fixture.keys() == ["index/one"])
    }

    @Test(arguments: Kind.allCases)
    func `if_absent keeps what is there: the same bytes are success, others a conflict`(kind: Kind) throws {
        let fixture = try StorageFixture(kind)
        #expect(try fixture.put("locks/1", [1, 2], ifAbsent: true) == ["size": 2])
        #expect(try fixture.put("locks/1", [1, 2], ifAbsent: true) == ["size": 2, "existed": true])
        for other in [[1, 3], [1], []] as [[UInt8]] {
            #expect {
                try fixture.put("locks/1", other, ifAbsent: true)
            } throws: { ($0 as? RPCError)?.code == .conflict }
        }
        #expect(try fixture.get("locks/1") == [1, 2])
        try fixture.put("locks/0", [])
        #expect { try fixture.put("locks/0", [1], ifAbsent: true) } throws: { ($0 as? RPCError)?.code == .conflict }
    }

    @Test(arguments: Kind.allCases)
    func `of eight if_absent puts at once, through processes of their own, exactly one wins`(kind: Kind) throws {
        let directory = try TemporaryDirectory("storage")
        let outcomes = Condition<[RPCErrorCode?]>([])
        let threads = try (0..<8).map { number in
            let fixture = try StorageFixture(kind, in: directory)
            return WorkerThread(name: "put") {
                do {
                    _ = try fixture.put("locks/one", StorageFixture.bytes(5000, seed: UInt64(number)), ifAbsent: true)
                    outcomes.withLock { $0.append(nil) }
                } catch let error as RPCError {
                    outcomes.withLock { $0.append(error.code) }
                }
            }
        }
        for thread in threads { try thread.join() }
        let all = outcomes.withLockQuietly { $0 }
        #expect(all.count == 8)
        #expect(all.filter { $0 == nil }.count == 1)
        #expect(all.compactMap { $0 } == Array(repeating: .conflict, count: 7))
    }

    @Test(arguments: Kind.allCases)
    func `what is absent is not_found, and deleting it is success`(kind: Kind) throws {
        let fixture = try StorageFixture(kind)
        let get: JSONObject = ["key": "data/aa/x", "path": .string(fixture.directory.path("out/x"))]
        #expect(try fixture.code("storage.get", get) == .notFound)
        #expect(try fixture.code("storage.stat", ["key": "data/aa/x"]) == .notFound)
        #expect(try fixture.host.call("storage.delete", ["key": "data/aa/x"]) == [:])
        try fixture.put("data/aa/x", [1])
        #expect(try fixture.code("storage.stat", ["key": "data/aa/y"]) == .notFound)
        #expect(try fixture.code("storage.stat", ["key": "data/aa"]) == .notFound, "a directory is no object")
        #expect(try fixture.host.call("storage.delete", ["key": "data/aa/x"]) == [:])
        #expect(try fixture.host.call("storage.delete", ["key": "data/aa/x"]) == [:])
        #expect(try fixture.code("storage.get", get) == .notFound)
        #expect(try fixture.keys() == [])
    }

    @Test(arguments: Kind.allCases)
    func `a store that is gone is unavailable, never not_found or empty`(kind: Kind) throws {
        let fixture = try StorageFixture(kind)
        try fixture.put("data/aa/x", [1])
        #expect(rename(fixture.repository, fixture.repository + "-gone") == 0)
        let get: JSONObject = ["key": "data/aa/x", "path": .string(fixture.directory.path("out/x"))]
        #expect(try fixture.code("storage.get", get) == .unavailable)
        #expect(try fixture.code("storage.stat", ["key": "data/aa/x"]) == .unavailable)
        #expect(try fixture.code("storage.list", ["prefix": "", "limit": 10]) == .unavailable)
        #expect(rename(fixture.repository + "-gone", fixture.repository) == 0)
        #expect(try fixture.get("data/aa/x") == [1])
    }

    @Test(arguments: Kind.allCases)
    func `ranges are exact, and one that reaches beyond the end is invalid`(kind: Kind) throws {
        let fixture = try StorageFixture(kind)
        let bytes = StorageFixture.bytes(100_000)
        try fixture.put("data/aa/x", bytes)
        for (offset, length) in [
            (0, 1), (99_999, 1), (0, 100_000), (12_345, 54_321), (5, 0), (100_000, 0), (65_536, 9),
        ] {
            #expect(
                try fixture.get("data/aa/x", offset: Int64(offset), length: Int64(length))
                    == Array(bytes[offset..<offset + length]))
        }
        #expect(try fixture.get("data/aa/x", offset: 99_990) == Array(bytes[99_990...]))
        let edge: [(Int64, Int64)] = [
            (100_001, 0), (0, 100_001), (99_999, 2), (9_007_199_254_740_991, 1), (1, 9_007_199_254_740_991),
            (9_007_199_254_740_991, 9_007_199_254_740_991),
        ]
        for (offset, length) in edge {
            let parameters: JSONObject = [
                "key": "data/aa/x", "path": .string(fixture.directory.path("out/r")), "offset": .integer(offset),
                "length": .integer(length),
            ]
            #expect(try fixture.code("storage.get", parameters) == .invalidRange)
        }
    }

    @Test(arguments: Kind.allCases)
    func `a get into a file that is longer leaves no tail`(kind: Kind) throws {
        let fixture = try StorageFixture(kind)
        try fixture.put("config", [1, 2, 3])
        try fixture.directory.write(StorageFixture.bytes(1000), to: "out/old")
        _ = try fixture.host.call("storage.get", ["key": "config", "path": .string(fixture.directory.path("out/old"))])
        #expect(try fixture.directory.read("out/old") == [1, 2, 3])
    }

    @Test(arguments: Kind.allCases)
    func `a get may be streamed through a FIFO`(kind: Kind) throws {
        let fixture = try StorageFixture(kind)
        let bytes = StorageFixture.bytes(3_000_000)
        try fixture.put("data/aa/x", bytes)
        for (offset, length) in [(0, 3_000_000), (1_234_567, 700_000), (10, 0)] {
            let path = fixture.directory.path("out/fifo-\(offset)")
            #expect(mkfifo(path, 0o600) == 0)
            let reader = open(path, O_RDONLY | O_NONBLOCK)
            defer { close(reader) }
            let id = try fixture.host.send(
                "storage.get",
                [
                    "key": "data/aa/x", "path": .string(path), "offset": .integer(Int64(offset)),
                    "length": .integer(Int64(length)),
                ])
            var received: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 100_000)
            #expect(
                eventually {
                    while true {
                        let count = read(reader, &buffer, buffer.count)
                        guard count > 0 else { break }
                        received += buffer[..<count]
                    }
                    return received.count >= length
                })
            let response = try fixture.host.response()
            #expect(response?.id == .text(id))
            #expect(response?.outcome == .success(["size": .integer(Int64(length))]))
            #expect(received == Array(bytes[offset..<offset + length]))
        }
    }

    @Test(arguments: Kind.allCases)
    func `a list has every key once in byte order, over pages of any size`(kind: Kind) throws {
        let fixture = try StorageFixture(kind)
        let count = kind == .bash ? 60 : 300
        var keys = ["config", "a-b", "a.b", "a/x", "a0", "A", "data-old/x", "data/ff/z"]
        for number in 0..<count { keys.append("data/0\(number % 7)/f\(number)") }
        for key in keys { try fixture.put(key, [UInt8](key.utf8)) }
        let expected = keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        for limit in [1, 7, 1000] as [Int64] where limit > 1 || kind != .bash {
            #expect(try fixture.keys(limit: limit) == expected)
        }
        for prefix in [
            "data/", "data/0", "data/03/", "data/03/f1", "data", "a", "config", "nothing/", "zzz", "data/ff/z",
        ] {
            #expect(try fixture.keys(prefix, limit: 50) == expected.filter { $0.hasPrefix(prefix) })
        }
        let page = try ListPage(try fixture.host.call("storage.list", ["prefix": "config", "limit": 5]))
        #expect(page.entries.map(\.size) == [6])
    }

    @Test(arguments: Kind.allCases)
    func `foreign files are not listed and links not followed`(kind: Kind) throws {
        let fixture = try StorageFixture(kind)
        try fixture.put("data/aa/x", [1])
        for name in [".hidden", "data/.tmp-1", "data/aa/with space", "data/aa/q\"uote", ".dir/config", "data/aa/-dash"]
        {
            try fixture.directory.write("foreign", to: "repo/" + name)
        }
        mkdir(fixture.repository + "/data/empty", 0o700)
        symlink("/etc", fixture.repository + "/data/etc")
        symlink("/etc/hostname", fixture.repository + "/data/aa/link")
        let listed = try fixture.keys()
        #expect(listed == ["data/aa/x"])
    }

    @Test(arguments: Kind.allCases)
    func `a list sees every put and delete at once, also of another process`(kind: Kind) throws {
        let first = try StorageFixture(kind)
        let second = try StorageFixture(kind, in: first.directory)
        for round in 0..<10 {
            try first.put("locks/\(round)", [1])
            #expect(try second.keys("locks/") == ["locks/\(round)"])
            _ = try second.host.call("storage.delete", ["key": .string("locks/\(round)")])
            #expect(try first.keys("locks/") == [])
        }
    }

    @Test(arguments: Kind.allCases)
    func `opened for reading, put and delete are refused and change nothing`(kind: Kind) throws {
        let directory = try TemporaryDirectory("storage")
        let writer = try StorageFixture(kind, in: directory)
        try writer.put("config", [1])
        let reader = try StorageFixture(kind, mode: "ro", in: directory)
        #expect { try reader.put("config", [2]) } throws: { ($0 as? RPCError)?.code == .permissionDenied }
        #expect(try reader.code("storage.delete", ["key": "config"]) == .permissionDenied)
        #expect(try reader.get("config") == [1])
        #expect(try reader.keys() == ["config"])
    }

    @Test(arguments: Kind.allCases)
    func `killed at any moment of a put, the object is absent or whole and no temporary is listed`(kind: Kind) throws {
        let directory = try TemporaryDirectory("storage")
        let bytes = StorageFixture.bytes(2_000_000)
        for round in 0..<6 {
            let victim = try StorageFixture(kind, in: directory)
            let path = try victim.spooled(bytes, "victim-\(round)")
            try victim.host.send("storage.put", victim.putParameters("data/aa/k\(round)", path, size: bytes.count))
            // No condition to wait for: the moments of death are to be spread over the whole of a put.
            usleep(UInt32(round * round * 400))
            kill(-victim.process.pid, SIGKILL)
            #expect(try victim.process.wait() == 128 + SIGKILL)
            let next = try StorageFixture(kind, in: directory)
            for key in try next.keys() {
                #expect(key.hasPrefix("data/aa/k"))
                #expect(try next.get(key) == bytes)
            }
            try next.put("data/aa/k\(round)", bytes)
            #expect(try next.get("data/aa/k\(round)") == bytes)
        }
    }

    @Test(arguments: Kind.allCases)
    func `a full file system is no_space and leaves nothing, and the plugin lives`(kind: Kind) throws {
        let fixture = try StorageFixture(kind)
        guard let small = try SmallFileSystem(megabytes: 2) else { return }
        let process = try PluginProcess(kind.executable)
        try process.conversation.open(["path": .string(small.path)], spool: fixture.directory.path)
        let big = try fixture.spooled(StorageFixture.bytes(4_000_000), "big")
        let parameters = fixture.putParameters("data/aa/x", big, size: 4_000_000)
        #expect(try process.conversation.failure("storage.put", parameters)?.code == .noSpace)
        #expect(try process.conversation.failure("storage.stat", ["key": "data/aa/x"])?.code == .notFound)
        #expect(
            try ListPage(try process.conversation.call("storage.list", ["prefix": "", "limit": 9])).entries.isEmpty)
        #expect(try process.close() == 0)
    }
}
