import Glibc
import JSON
import JSONRPC
import PluginProtocol
import TestSupport
import Testing

@Suite struct `Plugin source-command` {
    private final class Fixture: Sendable {
        let directory: TemporaryDirectory
        let process: PluginProcess
        var host: Conversation { process.conversation }

        init(dump: String, load: String? = nil, more: JSONObject = [:]) throws {
            directory = try TemporaryDirectory("source")
            process = try PluginProcess(Places.plugin("stillpoint-source-command"))
            let shell = { [directory] (text: String) -> JSONValue in
                ["command": ["bash", "-c", .string("D=\(directory.path); \(text)")]]
            }
            var config = more
            config["dump"] = shell(dump)
            config["load"] = load.map(shell)
            try host.open(config, spool: directory.path)
        }

        func dumpParameters(_ path: String, deadline: Int64 = 60_000) -> JSONObject {
            [
                "run": "run-1", "name": "database", "path": .string(path), "deadline_ms": .integer(deadline),
                "context": ["application": "tracker"],
            ]
        }

        func dump(to name: String) throws -> SourceDumpResult {
            try SourceDumpResult(try host.call("source.dump", dumpParameters(directory.path(name))))
        }

        func loadParameters(_ path: String, size: Int64) -> JSONObject {
            ["run": "run-1", "name": "database", "path": .string(path), "size": .integer(size), "context": [:]]
        }
    }

    @Test func `a dump is what the command prints, through a file`() throws {
        let fixture = try Fixture(
            dump:
                "printf '%s %s %s %s' $STILLPOINT_DUMP $STILLPOINT_RUN $STILLPOINT_APPLICATION $SECRET; echo note >&2",
            more: ["env": ["SECRET": "s3cret"]])
        #expect(try fixture.dump(to: "out") == SourceDumpResult(size: 29))
        #expect(String(decoding: try fixture.directory.read("out"), as: UTF8.self) == "database run-1 tracker s3cret")
        #expect(fixture.host.logged == ["note"])
    }

    @Test func `a dump of megabytes goes through a FIFO whole`() throws {
        let fixture = try Fixture(dump: "head -c 5000000 /dev/zero; printf END")
        let path = fixture.directory.path("fifo")
        #expect(mkfifo(path, 0o600) == 0)
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        try fixture.host.send("source.dump", fixture.dumpParameters(path))
        var count = 0
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var last: [UInt8] = []
        #expect(
            eventually {
                while true {
                    let read = Glibc.read(reader, &buffer, buffer.count)
                    guard read > 0 else { break }
                    count += read
                    last = Array(buffer[..<read].suffix(3))
                }
                return count == 5_000_003
            })
        #expect(last == Array("END".utf8))
        #expect(try fixture.host.response()?.outcome == .success(["size": 5_000_003]))
    }

    @Test func `a command that fails has made no dump, and its last lines say why`() throws {
        let fixture = try Fixture(dump: "echo half; echo 'connection refused' >&2; exit 2")
        let error = try fixture.host.failure("source.dump", fixture.dumpParameters(fixture.directory.path("out")))
        #expect(error?.code == .hookFailed)
        #expect(error?.message == "the command 'bash' to dump 'database' exited with 2: connection refused")
        #expect(error?.detail == "connection refused")
    }

    @Test func `a reader that goes away stops the command, and the plugin lives`() throws {
        let fixture = try Fixture(dump: "echo $$ > $D/pid; cat /dev/zero")
        let path = fixture.directory.path("fifo")
        #expect(mkfifo(path, 0o600) == 0)
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        try fixture.host.send("source.dump", fixture.dumpParameters(path))
        var byte: UInt8 = 1
        #expect(eventually { read(reader, &byte, 1) == 1 })
        close(reader)
        guard case .failure(let error)? = try fixture.host.response()?.outcome else {
            Issue.record("no error")
            return
        }
        #expect(error.code == .cancelled)
        let pid = try #require(pid_t(String(decoding: try fixture.directory.read("pid").dropLast(), as: UTF8.self)))
        #expect(eventually { !ProcessTable.hasLivingMember(group: pid) })
        let nobody = try fixture.host.failure("source.dump", fixture.dumpParameters(path))
        #expect(nobody?.code == .unavailable)
    }

    @Test(arguments: ["timeout", "cancel", "end of input", "SIGTERM"])
    func `the process group is ended`(by reason: String) throws {
        let fixture = try Fixture(
            dump: "sleep 61 & echo $$ > $D/pid; echo started >&2; wait",
            more: reason == "timeout" ? ["timeout_ms": 3000] : [:])
        let id = try fixture.host.send("source.dump", fixture.dumpParameters(fixture.directory.path("out")))
        try fixture.host.waitForLog("started")
        let pid = try #require(pid_t(String(decoding: try fixture.directory.read("pid").dropLast(), as: UTF8.self)))
        switch reason {
        case "cancel": try fixture.host.notify("cancel", ["request": .string(id)])
        case "end of input": fixture.host.closeInput()
        case "SIGTERM": kill(fixture.process.pid, SIGTERM)
        default: break
        }
        guard case .failure(let error)? = try fixture.host.response()?.outcome else {
            Issue.record("no error")
            return
        }
        #expect(error.code == (reason == "timeout" ? .hookFailed : .cancelled))
        #expect(eventually { !ProcessTable.hasLivingMember(group: pid) })
        #expect(try fixture.process.close() == 0)
    }

    @Test func `a dump is read back, from a file and from a FIFO`() throws {
        let fixture = try Fixture(dump: "true", load: "cat > $D/loaded")
        let bytes = StorageFixture.bytes(1_000_000)
        let path = try fixture.directory.write(bytes, to: "dump")
        #expect(try fixture.host.call("source.load", fixture.loadParameters(path, size: 1_000_000)) == [:])
        #expect(try fixture.directory.read("loaded") == bytes)

        let fifo = fixture.directory.path("fifo")
        #expect(mkfifo(fifo, 0o600) == 0)
        try fixture.host.send("source.load", fixture.loadParameters(fifo, size: 11))
        let writer = open(fifo, O_WRONLY)
        #expect(write(writer, "hello dumps", 11) == 11)
        close(writer)
        #expect(try fixture.host.response()?.outcome == .success([:]))
        #expect(try fixture.directory.read("loaded") == Array("hello dumps".utf8))
    }

    @Test func `a dump that is cut off is never shown as whole`() throws {
        let fixture = try Fixture(dump: "true", load: "cat > $D/loading && mv $D/loading $D/loaded")
        let path = try fixture.directory.write("half", to: "dump")
        let error = try fixture.host.failure("source.load", fixture.loadParameters(path, size: 8))
        #expect(error?.code == .hookFailed)
        #expect(error?.message.contains("its input ended after 4 bytes, too early") == true)
        #expect(try !fixture.directory.names().contains("loaded"))
    }

    @Test func `a command that exits with 0 before it read everything has failed`() throws {
        let fixture = try Fixture(dump: "true", load: "head -c 1 > /dev/null")
        let path = try fixture.directory.write(StorageFixture.bytes(10_000_000), to: "dump")
        let error = try fixture.host.failure("source.load", fixture.loadParameters(path, size: 10_000_000))
        #expect(error?.code == .hookFailed)
        #expect(error?.message.contains("read only") == true)
    }

    @Test func `without a load command, loading is unsupported`() throws {
        let fixture = try Fixture(dump: "true")
        let parameters = fixture.loadParameters(fixture.directory.path("x"), size: 1)
        #expect(try fixture.host.failure("source.load", parameters)?.code == .unsupported)
    }
}
