import JSON
import JSONRPC
import PluginProtocol
import Testing

@Suite struct `Methods` {
    private func key(_ text: String) throws -> ObjectKey { try #require(ObjectKey(text)) }
    private func path(_ text: String) throws -> SpoolPath { try #require(SpoolPath(text)) }

    /// The canonical line of a call, and proof that its parameters are read back equal.
    private func line<Parameters: WireObject>(_ method: PluginMethod, _ parameters: Parameters) throws -> String {
        let object = parameters.encoded
        #expect(try Parameters(object) == parameters)
        let request = RPCRequest(id: .text("1"), method: method.name, params: object)
        return String(decoding: try request.canonicalLine().dropLast(), as: UTF8.self)
    }

    private func prefix(_ method: String) -> String {
        #"{"jsonrpc":"2.0","id":"1","method":""# + method + #"","params":"#
    }

    @Test func `describe`() throws {
        #expect(
            try line(.describe, DescribeParameters(hostName: "stillpoint", hostVersion: "0.1.0"))
                == prefix("describe") + #"{"protocols":[1],"host":{"name":"stillpoint","version":"0.1.0"}}}"#)
    }

    @Test func `open`() throws {
        let spool = SpoolDirectories(
            input: try path("/s/in"), output: try path("/s/out"), temporary: try path("/s/tmp"))
        let parameters = OpenParameters(instance: "main", mode: .readOnly, spool: spool, config: ["path": "/srv/repo"])
        #expect(
            try line(.open, parameters)
                == prefix("open") + #"{"instance":"main","mode":"ro","#
                + #""spool":{"in":"/s/in","out":"/s/out","tmp":"/s/tmp"},"config":{"path":"/srv/repo"}}}"#)
        #expect(throws: JSONError.self) {
            var object = parameters.encoded
            object["mode"] = "wr"
            _ = try OpenParameters(object)
        }
        #expect(try OpenResult(["spool_near": "/srv/repo"]).spoolNear?.text == "/srv/repo")
        #expect(try OpenResult(["spool_near": "/srv/my repo"]).spoolNear == nil)
        #expect(OpenResult().encoded == [:])
    }

    @Test func `storage methods`() throws {
        let sum = String(repeating: "0f", count: 32)
        #expect(
            try line(
                .storagePut,
                StoragePutParameters(
                    key: key("data/ab/abc"), size: 7, sha256: sum, path: path("/s/in/1"), ifAbsent: true))
                == prefix("storage.put")
                + #"{"key":"data/ab/abc","size":7,"sha256":"\#(sum)","path":"/s/in/1","if_absent":true}}"#)
        #expect(
            try line(
                .storageGet, StorageGetParameters(key: key("config"), path: path("/s/out/1"), offset: 0, length: 32))
                == prefix("storage.get") + #"{"key":"config","path":"/s/out/1","offset":0,"length":32}}"#)
        #expect(
            try line(.storageStat, StorageKeyParameters(key: key("config")))
                == prefix("storage.stat") + #"{"key":"config"}}"#)
        #expect(
            try line(.storageList, StorageListParameters(prefix: .all, limit: 10, cursor: ListCursor("a/b")))
                == prefix("storage.list") + #"{"prefix":"","limit":10,"cursor":"a/b"}}"#)
        #expect(
            try line(.storageDelete, StorageKeyParameters(key: key("locks/1")))
                == prefix("storage.delete") + #"{"key":"locks/1"}}"#)
        #expect(try line(.check, EmptyObject()) == prefix("check") + "{}}")
    }

    @Test func `storage results are read with their limits`() throws {
        #expect(try PutResult(["size": 3]) == PutResult(size: 3))
        #expect(try PutResult(PutResult(size: 3, existed: true).encoded).existed)
        #expect(throws: JSONError.self) { try PutResult(["size": -1]) }
        #expect(throws: JSONError.self) { try PutResult(["size": "3"]) }
        #expect(throws: JSONError.self) { try GetResult(["size": .real(1)]) }
        #expect(try ObjectStat(["size": 5, "mtime_ms": 1000]) == ObjectStat(size: 5, modified: 1000))
        let page = ListPage(
            entries: [ListedObject(key: try key("a"), size: 1, modified: 2), ListedObject(key: try key("b"), size: 0)],
            cursor: ListCursor("b"))
        #expect(try ListPage(page.encoded) == page)
        #expect {
            try ListPage(["entries": [["key": "a", "size": 1], ["key": "../x", "size": 1]]])
        } throws: { ($0 as? JSONError)?.path == "entries[1].key" }
        #expect(throws: JSONError.self) { try StorageListParameters(["prefix": "", "limit": 1001]) }
    }

    @Test func `hook run`() throws {
        let parameters = HookRunParameters(
            event: .backupPost, run: "run-1", attempt: 2, deadlineMilliseconds: 60_000, outcome: .failed,
            state: "lv \"123\"\nü", context: ["application": "tracker", "sources": ["/srv/ä"]])
        #expect(
            try line(.hookRun, parameters)
                == prefix("hook.run")
                + #"{"event":"backup.post","run":"run-1","attempt":2,"deadline_ms":60000,"outcome":"failed","#
                + #""state":"lv \"123\"\n\u00FC","context":{"application":"tracker","sources":["/srv/\u00E4"]}}}"#)
        let result = HookRunResult(
            action: .skip, reason: "nothing to do", state: "s", paths: ["/mnt/x"], metadata: ["a": 1],
            checks: [HookRunResult.Check(name: "rows", ok: false, detail: "0")])
        #expect(try HookRunResult(result.encoded) == result)
        #expect(try HookRunResult([:] as JSONObject).action == .proceed)
        #expect(throws: JSONError.self) { try HookRunResult(["action": "explode"]) }
        #expect(throws: JSONError.self) { try HookRunResult(["paths": ["relative"]]) }
        #expect(throws: JSONError.self) {
            try HookRunResult(["state": .string(String(repeating: "x", count: 8193))])
        }
        #expect(try HookRunResult(["state": .string(String(repeating: "x", count: 8192))]).state?.count == 8192)
    }

    @Test func `sources and notifications`() throws {
        #expect(
            try line(
                .sourceDump,
                SourceDumpParameters(
                    run: "r", name: "database", path: path("/s/out/2"), deadlineMilliseconds: 5, context: ["a": 1]))
                == prefix("source.dump")
                + #"{"run":"r","name":"database","path":"/s/out/2","deadline_ms":5,"context":{"a":1}}}"#)
        #expect(
            try line(.sourceLoad, SourceLoadParameters(run: "r", name: "db", path: path("/s/in/2"), size: 9))
                == prefix("source.load") + #"{"run":"r","name":"db","path":"/s/in/2","size":9,"context":{}}}"#)
        let dump = SourceDumpResult(size: 4, sha256: "00", metadata: ["v": "15"])
        #expect(try SourceDumpResult(dump.encoded) == dump)
        #expect(try CancelParameters(["request": "7"]).request == "7")
        let progress = ProgressParameters(request: "7", done: 1, total: 2, message: "m")
        #expect(try ProgressParameters(progress.encoded) == progress)
        #expect(try LogParameters(["level": "warn", "message": "x"]).level == .warning)
        #expect(try LogParameters(["level": "loud", "message": "x"]).level == .info)
    }

    @Test func `the description is read back, with unknown words left out`() throws {
        let description = PluginDescription(
            name: "storage-x", version: "1.2.3", kinds: [.storage, .hook],
            features: PluginFeatures(consistency: .strong, ifAbsent: .bestEffort, getRange: true, progress: true),
            limits: PluginLimits(maxInflight: 4, maxInstances: 2, maxObjectSize: 1 << 40),
            configSchema: try ConfigSchema(["type": "object"]), hookEvents: [.backupPre], environment: ["AWS_REGION"])
        #expect(try PluginDescription(description.encoded) == description)

        let minimal: JSONObject = [
            "protocol": 1, "name": "x", "version": "1", "kinds": ["storage", "teleport"],
            "features": ["consistency": "telepathic", "x-acme-fast": true],
        ]
        let read = try PluginDescription(minimal)
        #expect(read.kinds == [.storage])
        #expect(read.features == PluginFeatures())
        #expect(read.limits == PluginLimits(maxInflight: 1, maxInstances: 1))
    }

    @Test(
        arguments: [
            ("name", "Bad Name"), ("name", "-x"), ("version", ""), ("version", "1 2"), ("kinds", []),
            ("kinds", ["nope"]),
            ("env", ["A-B"]), ("protocol", "1"), ("protocol", 0), ("limits", ["max_inflight": 0]),
            ("limits", ["max_instances": 1000]), ("features", ["get_range": "yes"]), ("hook_events", "backup.pre"),
        ] as [(String, JSONValue)])
    func `a description with a bad member is refused by name`(name: String, value: JSONValue) {
        var object: JSONObject = ["protocol": 1, "name": "x", "version": "1", "kinds": ["storage"]]
        object[name] = value
        #expect { try PluginDescription(object) } throws: { ($0 as? JSONError)?.path.hasPrefix(name) == true }
    }

    @Test func `the table names each method once`() {
        #expect(Set(PluginMethod.all.map(\.name)).count == PluginMethod.all.count)
        #expect(PluginMethod.pluginNotificationNames == ["progress", "log"])
        #expect(PluginMethod.storageStat.hardDeadline == .seconds(60))
    }
}
