import Glibc
import JSON
import JSONRPC
import PluginKit
import PluginProtocol
import Synchronization
import Testing
import Threads

/// Keeps objects in memory, and does strange things on demand.
private final class MemoryHandler: StoragePluginHandler {
    let closed = Condition(0)
    let gate = Condition(false)
    let running = Condition(0)

    func put(_ parameters: StoragePutParameters, _ call: CallContext) throws -> PutResult {
        running.withLock { $0 += 1 }
        call.log(.info, "storing\n\(parameters.key)")
        for step in 0...3 { call.progress(done: Int64(step), total: 3) }
        return PutResult(size: parameters.size)
    }

    func get(_ parameters: StorageGetParameters, _ call: CallContext) throws -> GetResult {
        // Waits until it is cancelled or the test opens the gate.
        call.onCancel { [gate] _ in gate.wakeAll() }
        running.withLock { $0 += 1 }
        let isOpen = gate.wait(timeout: .seconds(20)) { $0 ? true : (call.isCancelled ? false : nil) }
        guard isOpen == true else { throw PluginFailure.cancelled() }
        return GetResult(size: 0)
    }

    func stat(_ key: ObjectKey, _ call: CallContext) throws -> ObjectStat {
        struct Odd: Error {}
        switch key.text {
        case "absent": throw PluginFailure.notFound(key)
        case "odd": throw Odd()
        case "slow": throw PluginFailure(.rateLimited, "slow down", detail: "line", retryAfter: .milliseconds(250))
        default: return ObjectStat(size: 1, modified: 2)
        }
    }

    func list(_ parameters: StorageListParameters, _ call: CallContext) throws -> ListPage {
        guard let key = ObjectKey("config") else { throw PluginFailure.unavailable("no key") }
        return ListPage(entries: Array(repeating: ListedObject(key: key, size: 1), count: 50_000))
    }

    func delete(_ key: ObjectKey, _ call: CallContext) throws {}
    func close() { closed.withLock { $0 += 1 } }
}

@Suite struct `Serve loop of a plugin` {
    private func plugin(_ handler: MemoryHandler, maxInflight: Int = 1) throws -> Plugin {
        let schema: JSONObject = [
            "required": ["path"], "additionalProperties": false,
            "properties": ["path": ["type": "string"], "level": ["type": "integer", "default": 3]],
        ]
        let description = PluginDescription(
            name: "memory", version: "1", kinds: [.storage], limits: PluginLimits(maxInflight: maxInflight),
            configSchema: try ConfigSchema(schema))
        return Plugin(description: description) { parameters, _ in
            guard parameters.config["path"] != "refuse" else { throw PluginFailure.badConfig("'path' is refused") }
            guard parameters.config["level"] == 3 else { throw PluginFailure.badConfig("no default") }
            return OpenedPlugin(handler, spoolNear: SpoolPath("/srv/near"))
        }
    }

    @Test func `describe, open, calls and the end of the input`() throws {
        let handler = MemoryHandler()
        let served = ServedPlugin(try plugin(handler))
        let host = served.conversation
        let described = try PluginDescription(try host.call("describe", ["protocols": [1, 2]]))
        #expect(described.name == "memory")
        #expect(try host.open(["path": "/x"]) == ["spool_near": "/srv/near"])
        #expect(try host.call("storage.stat", ["key": "a"]) == ["size": 1, "mtime_ms": 2])
        #expect(try host.call("storage.delete", ["key": "a"]) == [:])
        #expect(try host.call("check") == [:])
        host.closeInput()
        try served.join()
        #expect(handler.closed.withLockQuietly { $0 } == 1)
        #expect(try host.response() == nil)
    }

    @Test func `errors have the codes of the specification`() throws {
        let served = ServedPlugin(try plugin(MemoryHandler()))
        let host = served.conversation
        #expect(try host.failure("storage.stat", ["key": "a"])?.code == .invalidRequest)
        #expect(try host.failure("storage.rename")?.code == .methodNotFound)
        #expect(try host.failure("cancel", ["request": "1"])?.code == .methodNotFound)
        let unsupported = try host.failure("describe", ["protocols": [99]])
        #expect(unsupported?.code == .unsupported)
        #expect(unsupported?.data?["supported"] == [1])
        #expect(try host.failure("describe")?.code == .invalidParams)
        try host.open(["path": "/x"])
        #expect(try host.failure("open")?.code == .invalidRequest)
        #expect(try host.failure("storage.stat", ["key": "../x"])?.code == .invalidParams)
        #expect(try host.failure("storage.stat")?.message == "'key' is missing")
        #expect(try host.failure("storage.stat", ["key": "absent"])?.code == .notFound)
        #expect(try host.failure("storage.stat", ["key": "odd"])?.code == .unavailable)
        let slow = try host.failure("storage.stat", ["key": "slow"])
        #expect(slow?.retryAfter == .milliseconds(250))
        #expect(slow?.detail == "line")
        #expect(try host.failure("hook.run", ["event": "notify"])?.code == .methodNotFound)
        #expect(
            try host.failure("storage.list", ["prefix": "", "limit": 9])?.code == .internalError, "longer than a line")
        #expect(try host.call("storage.stat", ["key": "a"])["size"] == 1)
        host.closeInput()
        try served.join()
    }

    @Test(
        arguments: [
            ([:], "'config.path' is missing"), (["path": 1], "'config.path' must be a string, not an integer"),
            (["path": "refuse"], "'path' is refused"),
        ] as [(JSONObject, String)])
    func `a configuration that is refused closes nothing and cannot be opened again`(
        config: JSONObject, message: String
    ) throws {
        let handler = MemoryHandler()
        let served = ServedPlugin(try plugin(handler))
        #expect {
            try served.conversation.open(config)
        } throws: { error in
            (error as? RPCError) == RPCError(.badConfig, message)
        }
        #expect(throws: RPCError.self) { try served.conversation.open(["path": "/x"]) }
        #expect(try served.conversation.failure("storage.stat", ["key": "a"])?.code == .invalidRequest)
        served.conversation.closeInput()
        try served.join()
        #expect(handler.closed.withLockQuietly { $0 } == 0)
    }

    @Test func `lines are taken byte by byte, together, with CRLF, and garbage is answered`() throws {
        let served = ServedPlugin(try plugin(MemoryHandler()))
        let host = served.conversation
        for byte
            in "\r\n\n{\"jsonrpc\":\"2.0\",\"id\":\"A.b_C-9\",\"method\":\"describe\",\"params\":{\"protocols\":[1]}}\r\n"
            .utf8
        {
            host.write([byte])
        }
        #expect(try host.response()?.id == .text("A.b_C-9"))
        host.write(
            "{\"jsonrpc\":\"2.0\",\"method\":\"hello\"}\n{\"jsonrpc\":\"2.0\",\"method\":\"cancel\",\"params\":{\"request\":\"?\"}}\n"
        )
        host.write(
            #"{"jsonrpc":"2.0","id":"1","method":"x"}"# + "\n" + #"{"jsonrpc":"2.0","id":"2","method":"y"}"# + "\n")
        #expect(try host.response()?.id == .text("1"))
        #expect(try host.response()?.id == .text("2"))
        host.write("garbage\n")
        let line = String(decoding: try #require(try host.line()), as: UTF8.self)
        #expect(line.hasPrefix(#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700"#))
        host.closeInput()
        try served.join()
    }

    @Test func `a line of exactly the cap is taken, one more byte is refused and the next line works`() throws {
        let served = ServedPlugin(try plugin(MemoryHandler()))
        let host = served.conversation
        func line(_ count: Int) -> String {
            let start = #"{"jsonrpc":"2.0","id":"long","method":"x","params":{"pad":""#
            return start + String(repeating: "x", count: count - start.utf8.count - 3) + "\"}}\n"
        }
        host.write(line(65_536))
        #expect(try host.response()?.id == .text("long"))
        host.write(line(65_537))
        let refused = String(decoding: try #require(try host.line()), as: UTF8.self)
        #expect(refused.contains("\"id\":null") && refused.contains("-32600"))
        #expect(try host.failure("x")?.code == .methodNotFound)
        host.closeInput()
        try served.join()
    }

    @Test func `requests that come at once are answered in order, also when the input ends at once`() throws {
        let handler = MemoryHandler()
        let served = ServedPlugin(try plugin(handler))
        let host = served.conversation
        let spool: JSONValue = ["in": "/a", "out": "/b", "tmp": "/c"]
        var ids = [
            try host.send("open", ["instance": "t", "mode": "rw", "spool": spool, "config": ["path": "/x"]])
        ]
        for _ in 0..<500 { ids.append(try host.send("storage.stat", ["key": "a"])) }
        host.closeInput()
        var answered: [String] = []
        while let response = try host.response() {
            answered.append(response.id.description)
            #expect(throws: Never.self) { try response.outcome.get() }
        }
        #expect(answered == ids)
        try served.join()
        #expect(handler.closed.withLockQuietly { $0 } == 1)
    }

    @Test func `progress is limited and log lines are one line, both with the request`() throws {
        let served = ServedPlugin(try plugin(MemoryHandler()))
        let host = served.conversation
        try host.open(["path": "/x"])
        let id = try host.send("storage.put", ["key": "a", "size": 1, "sha256": "00", "path": "/x"])
        _ = try host.response()
        #expect(host.logged == ["storing\\u{A}a"])
        let progress = try host.notifications.filter { $0.method == "progress" }.map {
            try ProgressParameters($0.params)
        }
        #expect(progress.map(\.done) == [0, 3])
        #expect(progress.allSatisfy { $0.request == id && $0.total == 3 })
        host.closeInput()
        try served.join()
    }

    @Test func `a cancelled call is answered once, and the next call works`() throws {
        let handler = MemoryHandler()
        let served = ServedPlugin(try plugin(handler))
        let host = served.conversation
        try host.open(["path": "/x"])
        let id = try host.send("storage.get", ["key": "a", "path": "/x"])
        _ = handler.running.wait(timeout: .seconds(20)) { $0 == 1 ? true : nil }
        try host.notify("cancel", ["request": .string(id)])
        try host.notify("cancel", ["request": .string(id)])
        let response = try #require(try host.response())
        #expect(response == RPCResponse(id: .text(id), outcome: .failure(RPCError(.cancelled, "cancelled on request"))))
        #expect(try host.call("storage.stat", ["key": "a"])["size"] == 1)
        host.closeInput()
        try served.join()
    }

    @Test func `a request to end cancels what runs and what waits, then closes`() throws {
        let handler = MemoryHandler()
        let served = ServedPlugin(try plugin(handler))
        let host = served.conversation
        try host.open(["path": "/x"])
        try host.send("storage.get", ["key": "a", "path": "/x"])
        try host.send("storage.stat", ["key": "a"])
        _ = handler.running.wait(timeout: .seconds(20)) { $0 == 1 ? true : nil }
        served.terminate()
        var codes: [RPCErrorCode] = []
        while let response = try host.response() {
            if case .failure(let error) = response.outcome { codes.append(error.code) }
        }
        // Whether the second request was read before the end is a race; when it was, it is answered.
        #expect(codes == [.cancelled, .cancelled] || codes == [.cancelled])
        try served.join()
        #expect(handler.closed.withLockQuietly { $0 } == 1)
    }

    @Test func `the end of the input lets a storage call finish`() throws {
        let handler = MemoryHandler()
        let served = ServedPlugin(try plugin(handler))
        let host = served.conversation
        try host.open(["path": "/x"])
        try host.send("storage.get", ["key": "a", "path": "/x"])
        _ = handler.running.wait(timeout: .seconds(20)) { $0 == 1 ? true : nil }
        host.closeInput()
        handler.gate.withLock { $0 = true }
        #expect(try host.response()?.outcome == .success(["size": 0]))
        try served.join()
    }

    @Test func `with max_inflight 4, four calls run at once and a fifth waits`() throws {
        let handler = MemoryHandler()
        let served = ServedPlugin(try plugin(handler, maxInflight: 4))
        let host = served.conversation
        try host.open(["path": "/x"])
        var ids: Set<RequestID> = []
        for _ in 0..<5 { ids.insert(.text(try host.send("storage.get", ["key": "a", "path": "/x"]))) }
        #expect(handler.running.wait(timeout: .seconds(20)) { $0 == 4 ? true : nil } == true)
        handler.gate.withLock { $0 = true }
        for _ in 0..<5 {
            let response = try #require(try host.response())
            #expect(ids.remove(response.id) != nil)
        }
        #expect(handler.running.withLockQuietly { $0 } == 5)
        host.closeInput()
        try served.join()
    }

    @Test func `a host that stops reading and goes away does not hang the plugin`() throws {
        let handler = MemoryHandler()
        let served = ServedPlugin(try plugin(handler))
        try served.conversation.open(["path": "/x"])
        served.terminate()
        try served.join()
        #expect(handler.closed.withLockQuietly { $0 } == 1)
    }
}
