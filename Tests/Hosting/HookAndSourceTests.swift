import Glibc
import JSON
import JSONRPC
import PluginHost
import PluginProtocol
import TestSupport
import Testing
import Threads

@Suite struct `Hook and source plugins` {
    private func hook(_ host: HostFixture, _ call: String, start: String = "") throws -> HookPlugin {
        try host.supervisor.openHook(
            try host.plugin(BashPlugin.script(start: start, call: call), kind: .hook), instance: "test",
            mode: .readWrite, config: [:], cancellation: Cancellation())
    }

    private func source(_ host: HostFixture, _ call: String) throws -> SourcePlugin {
        try host.supervisor.openSource(
            try host.plugin(BashPlugin.script(call: call), kind: .source), instance: "test", mode: .readWrite,
            config: [:], cancellation: Cancellation())
    }

    private let pre = HookRunParameters(event: .backupPre, run: "r1", deadlineMilliseconds: 0)

    @Test func `a hook gets its deadline and its state back`() throws {
        let host = try HostFixture()
        let plugin = try hook(
            host,
            #"""
            [[ $line =~ \"deadline_ms\":([0-9]+) ]]
            reply "{\"action\":\"continue\",\"state\":\"$(member event) ${BASH_REMATCH[1]} $(member state)\"}"
            """#)
        let answer = try plugin.run(pre, timeout: .seconds(45))
        #expect(answer == HookRunResult(action: .proceed, state: "backup.pre 45000 "))
        var post = pre
        post.event = .backupPost
        post.state = "kept"
        #expect(try plugin.run(post, timeout: .seconds(45)).state == "backup.post 45000 kept")
        try host.finish()
    }

    @Test func `a hook that dies is not run again by itself, the next call finds it opened anew`() throws {
        let host = try HostFixture()
        let seen = host.directory.path("seen")
        let plugin = try hook(host, "echo >>\(seen); (( $(wc -l <\(seen)) == 1 )) && exit 7; reply '{}'")
        let error = try host.failure { try plugin.run(pre, timeout: .seconds(45)) }
        #expect(error.code == .died)
        #expect(error.exitStatus == 7)
        #expect(error.mayHaveBeenSent)
        #expect(error.request == "hook.run backup.pre")
        #expect(try plugin.run(pre, timeout: .seconds(45)).action == .proceed)
        #expect(host.record.processes.count == 2)
        try host.finish()
    }

    @Test func `a hook that may be repeated is`() throws {
        let host = try HostFixture()
        let seen = host.directory.path("seen")
        let plugin = try hook(host, "echo >>\(seen); (( $(wc -l <\(seen)) == 1 )) && exit 7; reply '{}'")
        #expect(try plugin.run(pre, timeout: .seconds(45), isRepeatable: true).action == .proceed)
        try host.finish()
    }

    @Test func `a hook over its time is stopped by SIGTERM, which lets it release`() throws {
        let host = try HostFixture(.brief { $0.exitAfterTerminate = .seconds(20) })
        let released = host.directory.path("released")
        let plugin = try hook(
            host, "sleep 60 & wait", start: "trap 'echo yes >\(released); kill %1; exit 0' TERM")
        let error = try host.failure { try plugin.run(pre, timeout: .milliseconds(150)) }
        #expect(error.code == .timeout)
        #expect(error.exitStatus == 0)
        #expect(try host.directory.read("released") == Array("yes\n".utf8))
        try host.finish()
    }

    @Test func `a post is delivered although the run was cancelled`() throws {
        let host = try HostFixture()
        let cancellation = Cancellation()
        let plugin = try host.supervisor.openHook(
            try host.plugin(BashPlugin.script(), kind: .hook), instance: "test", mode: .readWrite, config: [:],
            cancellation: cancellation)
        cancellation.cancel(.signal(SIGINT))
        let error = try host.failure { try plugin.run(pre, timeout: .seconds(45)) }
        #expect(error.code == .cancelled)
        #expect(!error.mayHaveBeenSent)
        var post = pre
        post.event = .backupPost
        let answer = try plugin.run(post, timeout: .seconds(45), isRepeatable: true, cancellation: Cancellation())
        #expect(answer.action == .proceed)
        try host.finish()
    }

    @Test func `a failed hook is told in its own words`() throws {
        let host = try HostFixture()
        let plugin = try hook(host, "fail 15 'the database is not there'")
        let error = try host.failure { try plugin.run(pre, timeout: .seconds(45)) }
        #expect(error.remote?.code == .hookFailed)
        #expect(host.record.all.count { if case .retried = $0 { true } else { false } } == 0)
        try host.finish()
    }

    @Test func `the environment is scrubbed but for what the operator lists`() throws {
        setenv("STILLPOINT_TEST_PASSED", "passed", 1)
        setenv("STILLPOINT_TEST_KEPT", "kept", 1)
        let host = try HostFixture(environmentPassed: ["STILLPOINT_TEST_PASSED", "STILLPOINT_TEST_UNSET"])
        let plugin = try hook(
            host,
            #"""
            limits="$(ulimit -S -n) $(ulimit -c) $(umask)"
            names=$(tr '\0' '\n' </proc/$$/environ | cut -d= -f1 | sort | tr '\n' ' ')
            reply "{\"reason\":\"$names| $limits | $PWD $TMPDIR\"}"
            """#)
        let reason = try #require(try plugin.run(pre, timeout: .seconds(45)).reason)
        let parts = reason.split(separator: "| ").map(String.init)
        let names = Set(parts[0].split(separator: " ").map(String.init))
        #expect(
            names.subtracting(["PATH", "HOME", "USER", "LANG", "TZ"]) == [
                "LC_ALL", "PYTHONUNBUFFERED", "PYTHONUTF8", "STILLPOINT_PLUGIN", "STILLPOINT_PLUGIN_PROTOCOLS",
                "STILLPOINT_TEST_PASSED", "TMPDIR",
            ])
        #expect(parts[1] == "1024 0 0077 ")
        let directories = parts[2].split(separator: " ")
        #expect(directories[0] == directories[1])
        #expect(directories[0].hasPrefix(host.directory.path("spool/run-")) && directories[0].hasSuffix("/tmp"))
        try host.finish()
    }

    @Test func `a dump arrives whole, and only its answer makes it one`() throws {
        let host = try HostFixture()
        let plugin = try source(
            host,
            #"""
            path=$(member path)
            case $(member name) in
            good) head -c 5000000 /dev/zero >"$path"; reply '{"size":5000000,"metadata":{"tool":"head"}}' ;;
            empty) : >"$path"; reply '{"size":0}' ;;
            short) head -c 10 /dev/zero >"$path"; reply '{"size":11}' ;;
            long) head -c 10 /dev/zero >"$path"; reply '{"size":9}' ;;
            file) head -c 3000000 /dev/zero >"$path.new"; mv "$path.new" "$path"; reply '{"size":3000000}' ;;
            failed) head -c 10 /dev/zero >"$path"; fail 7 'the server went away' ;;
            two) printf one >"$path"; printf two >"$path"; reply '{"size":6}' ;;
            esac
            """#)
        func dump(_ name: String) throws -> (SourceDumpResult, Int) {
            var count = 0
            let result = try plugin.dump(run: "r1", name: name, context: [:]) { count += $0.count }
            return (result, count)
        }
        let good = try dump("good")
        #expect(good.0.metadata == ["tool": "head"])
        #expect(good.1 == 5_000_000)
        #expect(try dump("empty").1 == 0)
        #expect(try dump("file").1 == 3_000_000)
        #expect(try dump("two").1 == 6)
        #expect(try host.failure { try dump("short") }.message.contains("announced 11 bytes and wrote 10"))
        #expect(try host.failure { try dump("long") }.message.contains("announced 9 bytes and wrote 10"))
        #expect(try host.failure { try dump("failed") }.remote?.message == "the server went away")
        #expect(host.record.processes.count == 1)
        try host.finish()
    }

    @Test func `what the consumer throws ends the dump`() throws {
        struct Full: Error, Equatable {}
        let host = try HostFixture()
        let plugin = try source(host, #"head -c 50000000 /dev/zero >"$(member path)"; fail 10 cancelled"#)
        #expect(throws: Full()) {
            _ = try plugin.dump(run: "r1", name: "d", context: [:]) { _ in throw Full() }
        }
        #expect(host.record.processes.count == 1)
        try host.finish()
    }

    @Test func `a dump that hangs ends by its deadline`() throws {
        let host = try HostFixture()
        let plugin = try source(host, #"exec 5>"$(member path)"; exec sleep 60"#)
        let error = try host.failure {
            try plugin.dump(run: "r1", name: "d", context: [:], timeout: .milliseconds(150)) { _ in }
        }
        #expect(error.code == .timeout)
        try host.finish()
    }

    @Test func `a dump is handed back whole`() throws {
        struct Broken: Error, Equatable {}
        let host = try HostFixture()
        let copy = host.directory.path("copy")
        let plugin = try source(
            host,
            #"""
            path=$(member path)
            case $(member name) in
            good) cat "$path" >\#(copy); reply '{}' ;;
            part) head -c 10 "$path" >\#(copy); reply '{}' ;;
            none) reply '{}' ;;
            esac
            """#)
        let content = [UInt8](repeating: 0x61, count: 3_000_000)
        func load(_ name: String, limit: Int = .max) throws {
            var offset = 0
            try plugin.load(run: "r1", name: name, size: Int64(content.count), context: [:]) { buffer in
                if offset >= limit { throw Broken() }
                let count = min(buffer.count, content.count - offset)
                buffer.copyBytes(from: content[offset..<offset + count])
                offset += count
                return count
            }
        }
        try load("good")
        #expect(try host.directory.read("copy") == content)
        #expect(try host.failure { try load("part") }.code == .integrity)
        #expect(try host.failure { try load("none") }.message.contains("took 0 of 3000000 bytes"))
        #expect(throws: Broken()) { try load("good", limit: 1 << 20) }
        try host.finish()
    }
}
