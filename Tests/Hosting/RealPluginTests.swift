import Glibc
import JSON
import JSONRPC
import PluginHost
import PluginProtocol
import TestSupport
import Testing
import Threads

@Suite struct `The plugins of this package under the host` {
    /// The SHA-256 of 300,000 bytes `a`, by sha256sum.
    private static let digest = "12e1b9b179b29a4f7e5889b185d7ac71bff0ad1f49a7b391d0911b737a0f5381"
    private let object = [UInt8](repeating: 0x61, count: 300_000)

    private func put(_ host: HostFixture, _ storage: StoragePlugin, _ key: String, ifAbsent: Bool = false) throws
        -> PutResult
    {
        let path = "\(storage.spoolIn)/\(UInt64.random(in: 0...UInt64.max))"
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        #expect(object.withUnsafeBytes { write(file, $0.baseAddress, $0.count) } == object.count)
        close(file)
        defer { unlink(path) }
        return try storage.put(
            key: key, size: Int64(object.count), sha256: Self.digest, path: path, ifAbsent: ifAbsent)
    }

    @Test(arguments: RealPlugin.storages)
    func `a storage plugin stores, finds, lists and removes`(plugin: RealPlugin) throws {
        let host = try HostFixture()
        let storage = try host.storage(plugin)
        let near = "\(host.directory.path("objects"))/.stillpoint-spool-"
        #expect(storage.spoolIn.hasPrefix(near))
        #expect(try put(host, storage, "data/aa/1").size == 300_000)
        #expect(try put(host, storage, "data/ab/2").existed != true)
        #expect(try put(host, storage, "data/ab/2", ifAbsent: true).existed == true)
        #expect(try storage.get(key: "data/aa/1") == object)
        #expect(try storage.get(key: "data/aa/1", offset: 1, length: 1000) == Array(object[..<1000]))
        #expect(try storage.get(key: "data/aa/1", offset: 10, length: 200_000) == Array(object[..<200_000]))
        #expect(try storage.stat(key: "data/ab/2").size == 300_000)
        #expect(try storage.list(prefix: "data/").map(\.key.text) == ["data/aa/1", "data/ab/2"])
        try storage.check()
        try storage.delete(key: "data/aa/1")
        #expect(try host.failure { try storage.get(key: "data/aa/1") }.isNotFound)
        #expect(try host.failure { try storage.stat(key: "data/aa/1") }.isNotFound)
        #expect(try storage.list(prefix: "").map(\.key.text) == ["data/ab/2"])
        #expect(host.record.processes.count == 1)
        #expect(!host.record.all.contains { if case .noise = $0 { true } else { false } })
        try host.finish()
        // The spool near the store is gone as well.
        let left = try ShellScript("find objects -name '.stillpoint-spool-*' | wc -l").run(in: host.directory)
        #expect(left?.output == "0\n")
    }

    @Test(arguments: RealPlugin.storages)
    func `many threads use a storage plugin at once`(plugin: RealPlugin) throws {
        let host = try HostFixture()
        let storage = try host.storage(plugin)
        let results = try Callers.run(6) { number in
            try (0..<3).map { round in
                _ = try put(host, storage, "data/\(number)-\(round)")
                return try storage.get(key: "data/\(number)-\(round)") == object
            }
        }
        #expect(results == Array(repeating: [true, true, true], count: 6))
        #expect(try storage.list(prefix: "data/").count == 18)
        try host.finish()
    }

    @Test func `hook-exec runs commands, keeps their state and thaws at the end`() throws {
        let host = try HostFixture()
        let log = host.directory.path("log")
        func command(_ text: String) -> JSONValue { ["command": ["/bin/bash", "-c", .string(text)]] }
        let hook = try host.supervisor.openHook(
            try RealPlugin.hookExec.install(in: host.directory, kind: .hook), instance: "test", mode: .readWrite,
            config: [
                "events": [
                    "backup.pre": command(
                        "echo pre >>\(log); echo frozen-7 >$STILLPOINT_STATE_FILE; echo 'it is still'"),
                    "backup.post": command("echo post $STILLPOINT_OUTCOME $STILLPOINT_STATE >>\(log)"),
                    "restore.pre": command("exit 3"),
                ]
            ], cancellation: Cancellation())
        var parameters = HookRunParameters(event: .backupPre, run: "r1", deadlineMilliseconds: 0)
        let pre = try hook.run(parameters, timeout: .seconds(20))
        #expect(pre.action == .proceed)
        #expect(pre.state?.hasPrefix("frozen-7") == true)
        #expect(host.record.all.contains(.log(plugin: "exec", level: .info, message: "it is still")))
        parameters.event = .backupPost
        parameters.outcome = .ok
        parameters.state = pre.state
        _ = try hook.run(parameters, timeout: .seconds(20), isRepeatable: true)
        parameters.event = .restorePre
        let error = try host.failure { try hook.run(parameters, timeout: .seconds(20)) }
        #expect(error.remote?.code == .hookFailed)
        // Frozen again, and let go by the end of the plugin alone.
        parameters = HookRunParameters(event: .backupPre, run: "r2", deadlineMilliseconds: 0)
        _ = try hook.run(parameters, timeout: .seconds(20))
        hook.close()
        let lines = String(decoding: try host.directory.read("log"), as: UTF8.self).split(separator: "\n")
        #expect(lines.prefix(3) == ["pre", "post ok frozen-7", "pre"])
        #expect(lines.last?.hasPrefix("post unknown") == true)
        try host.finish()
    }

    @Test func `source-command dumps and loads, and a failed command is no dump`() throws {
        let host = try HostFixture()
        let copy = host.directory.path("copy")
        let plugin = try RealPlugin.sourceCommand.install(in: host.directory, kind: .source)
        func source(_ dump: String) throws -> SourcePlugin {
            try host.supervisor.openSource(
                plugin, instance: "test", mode: .readWrite,
                config: [
                    "dump": ["command": ["/bin/bash", "-c", .string(dump)]],
                    "load": ["command": ["/bin/bash", "-c", .string("cat >\(copy)")]],
                ], cancellation: Cancellation())
        }
        let good = try source("head -c 3000000 /dev/zero | tr '\\0' a")
        var dump: [UInt8] = []
        let result = try good.dump(run: "r1", name: "db", context: [:]) { dump += $0 }
        #expect(result.size == 3_000_000)
        #expect(dump == [UInt8](repeating: 0x61, count: 3_000_000))
        var offset = 0
        try good.load(run: "r1", name: "db", size: Int64(dump.count), context: [:]) { buffer in
            let count = min(buffer.count, dump.count - offset)
            buffer.copyBytes(from: dump[offset..<offset + count])
            offset += count
            return count
        }
        #expect(try host.directory.read("copy") == dump)
        let bad = try source("head -c 100000 /dev/zero; echo 'connection lost' >&2; exit 3")
        let error = try host.failure { try bad.dump(run: "r1", name: "db", context: [:]) { _ in } }
        #expect(error.code == .remote)
        try host.finish()
    }
}
