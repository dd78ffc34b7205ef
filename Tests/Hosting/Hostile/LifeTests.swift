import Glibc
import JSON
import JSONRPC
import PluginHost
import PluginProtocol
import TestSupport
import Testing
import Threads

@Suite struct `Plugins that hang, die or do not go` {
    @Test func `an answer that never comes ends with the plugin`() throws {
        let host = try HostFixture(.brief { $0.short = .milliseconds(150) })
        let storage = try host.storage(BashPlugin.script(call: "echo 'waiting for the moon' >&2; exec sleep 60"))
        let error = try host.failure { try storage.stat(key: "a") }
        #expect(error.code == .timeout)
        #expect(error.request == "storage.stat a")
        #expect(error.signal == SIGTERM)
        #expect(error.lastStandardError == ["waiting for the moon"])
        #expect(error.retryable)
        try host.finish()
    }

    @Test func `an answer within the grace period counts, and the plugin lives on`() throws {
        let host = try HostFixture(
            .brief {
                $0.short = .milliseconds(100)
                $0.cancelGrace = .seconds(20)
            })
        // Reads the next line, which is the cancel, and answers then.
        let storage = try host.storage(
            BashPlugin.script(call: #"read -r cancel; echo "$cancel" >&2; reply '{"size":7}'"#))
        #expect(try storage.stat(key: "a").size == 7)
        let line = host.record.first { if case .standardError(_, let line) = $0 { line } else { nil } }
        #expect(line == #"{"jsonrpc":"2.0","method":"cancel","params":{"request":"h3"}}"#)
        #expect(host.record.processes.count == 1)
        try host.finish()
    }

    @Test func `a cancellation ends a call`() throws {
        let host = try HostFixture()
        let cancellation = Cancellation()
        let storage = try host.storage(
            BashPlugin.script(call: "echo started >&2; read -r cancel; fail 10 stopped"), cancellation: cancellation)
        let caller = WorkerThread(name: "caller") { _ = try storage.stat(key: "a") }
        _ = host.record.first { $0 == .standardError(plugin: "hostile", line: "started") ? () : nil }
        cancellation.cancel(.requested)
        let error = try host.failure { try caller.join() }
        #expect(error.code == .cancelled)
        #expect(error.message.hasSuffix("was cancelled"))
        #expect(host.record.processes.count == 1)
        try host.finish()
    }

    @Test func `a plugin that stops reading is told so`() throws {
        let host = try HostFixture(.brief { $0.inputStall = .milliseconds(150) })
        // Answers describe blindly and leaves everything in its pipe, which it makes small: 1031 is F_SETPIPE_SZ.
        let script = """
            #!/usr/bin/python3 -SE
            fcntl, time = map(__import__, ("fcntl", "time"))
            fcntl.fcntl(0, 1031, 4096)
            print('{"jsonrpc":"2.0","id":"h1","result":\(BashPlugin.description)}', flush=True)
            time.sleep(60)
            """
        let error = try host.failure {
            try host.storage(script, config: ["filling": .string(String(repeating: "x", count: 60_000))])
        }
        #expect(error.code == .timeout)
        #expect(error.message.contains("did not read its standard input for 0.15 seconds"))
        try host.finish()
    }

    @Test func `a configuration that does not fit a line is refused before it is sent`() throws {
        let host = try HostFixture()
        let error = try host.failure {
            try host.storage(
                BashPlugin.script(), config: ["filling": .string(String(repeating: "x", count: 66_000))])
        }
        #expect(error.code == .invalidConfiguration)
        #expect(error.description.contains("more than the 65536 allowed"))
        try host.finish()
    }

    @Test func `a plugin that closes its standard output and lives on is stopped`() throws {
        let host = try HostFixture()
        let storage = try host.storage(BashPlugin.script(call: "exec 1>&- 3>&-; sleep 60"))
        let error = try host.failure { try storage.stat(key: "a") }
        #expect(error.code == .poison)
        #expect(error.description.contains("closed its standard output"))
        try host.finish()
    }

    @Test func `a plugin that closes its standard input and lives on is stopped`() throws {
        let host = try HostFixture(.brief { $0.attempts = 1 })
        let storage = try host.storage(
            BashPlugin.script(call: #"exec 0<&-; reply '{"size":7}'; exec sleep 60"#))
        #expect(try storage.stat(key: "a").size == 7)
        let error = try host.failure { try storage.stat(key: "b") }
        #expect(error.code == .died)
        #expect(error.message.contains("closed its standard input"))
        try host.finish()
    }

    @Test func `end-of-file and SIGTERM ignored, SIGKILL ends it`() throws {
        let host = try HostFixture(
            .brief {
                $0.exitAfterEndOfFile = .milliseconds(100)
                $0.exitAfterTerminate = .milliseconds(100)
            })
        let storage = try host.storage(
            BashPlugin.script(start: "trap '' TERM", call: BashPlugin.stat) + "\nwhile :; do sleep 60; done\n")
        #expect(try storage.stat(key: "a").size == 7)
        storage.close()
        let reason = host.record.first { if case .ended(_, _, let reason) = $0 { reason } else { nil } }
        #expect(reason == "was ended by signal 9 (Killed)")
        try host.finish()
    }

    @Test func `a child that keeps the pipes open does not keep the host waiting`() throws {
        let host = try HostFixture()
        let storage = try host.storage(BashPlugin.script(call: "sleep 600 & exit 4"))
        let error = try host.failure { try storage.stat(key: "a") }
        #expect(error.code == .poison)
        #expect(error.exitStatus == 4)
        #expect(host.record.processes.count == 2)
        // Also checks that the children, of the same group, are gone.
        try host.finish()
    }

    @Test func `a crash is repaired by a new process`() throws {
        let host = try HostFixture()
        let count = host.directory.path("count")
        let storage = try host.storage(
            BashPlugin.script(
                call: #"""
                    echo >>\#(count); (( $(wc -l <\#(count)) == 3 )) && kill -KILL $$
                    reply '{"size":3}'
                    """#))
        for number in 1...5 { #expect(try host.put([1, 2, 3], as: "k\(number)", into: storage).size == 3) }
        #expect(host.record.processes.count == 2)
        let restart = host.record.first { if case .restarted(_, let reason) = $0 { reason } else { nil } }
        #expect(restart?.contains("was ended by signal 9 (Killed) before it answered storage.put k3") == true)
        try host.finish()
    }

    @Test func `a request that kills every process is poison, others go on`() throws {
        let host = try HostFixture()
        let storage = try host.storage(
            BashPlugin.script(
                call: #"""
                    [[ $line == *'"key":"bad"'* ]] && { echo 'cannot bear it' >&2; exit 9; }
                    reply '{"size":3}'
                    """#))
        #expect(try host.put([1, 2, 3], as: "good", into: storage).size == 3)
        let error = try host.failure { try host.put([1, 2, 3], as: "bad", into: storage) }
        #expect(error.code == .poison)
        #expect(error.exitStatus == 9)
        #expect(error.lastStandardError == ["cannot bear it"])
        #expect(error.message.contains("died twice of storage.put bad, which is not sent again"))
        #expect(try host.put([1, 2, 3], as: "better", into: storage).size == 3)
        #expect(host.record.processes.count == 3)
        try host.finish()
    }

    @Test func `a plugin that dies all the time is not started for ever`() throws {
        let host = try HostFixture(.brief { $0.breakerDeaths = 5 })
        let storage = try host.storage(BashPlugin.script(call: "exit 1"))
        var codes: [PluginHostError.Code] = []
        for key in ["a", "b", "c"] { codes.append(try host.failure { try storage.stat(key: key) }.code) }
        #expect(codes == [.poison, .poison, .breakerOpen])
        #expect(host.record.processes.count == 5)
        try host.finish()
    }

    @Test func `an error that may pass is tried three times`() throws {
        let host = try HostFixture()
        let storage = try host.storage(BashPlugin.script(call: "fail 7 'the network is down'"))
        let error = try host.failure { try storage.stat(key: "a") }
        #expect(error.remote?.code == .unavailable)
        #expect(error.retryable)
        let attempts = host.record.all.compactMap {
            if case .retried(_, _, let attempt, _) = $0 { attempt } else { nil }
        }
        #expect(attempts == [2, 3])
        #expect(host.record.processes.count == 1)
        try host.finish()
    }

    @Test func `wrong credentials are read again once`() throws {
        let host = try HostFixture()
        let secret = host.directory.path("secret")
        try host.directory.write("old-password", to: "secret")
        #expect(chmod(secret, 0o600) == 0)
        let storage = try host.storage(
            BashPlugin.script(
                open: "password=$(member password); printf new-password >\(secret); reply '{}'",
                call: #"[[ $password == new-password ]] && reply '{"size":7}' || fail 5 'wrong password'"#),
            config: ["password": ["secret": ["file": .string(secret)]]])
        #expect(try storage.stat(key: "a").size == 7)
        #expect(host.record.processes.count == 2)
        try host.finish()
    }

    @Test func `many callers share the processes the plugin allows`() throws {
        let host = try HostFixture()
        let description = #"""
            {"protocol":1,"name":"hostile","version":"1","kinds":["storage"],
            "limits":{"max_inflight":1,"max_instances":3}}
            """#.split(separator: "\n").joined()
        let storage = try host.storage(BashPlugin.script(description: description, call: BashPlugin.stat))
        let sizes = try Callers.run(12) { number in
            try (0..<5).map { _ in try storage.stat(key: "k\(number)").size }
        }
        #expect(sizes == Array(repeating: [7, 7, 7, 7, 7], count: 12))
        #expect((1...3).contains(host.record.processes.count))
        try host.finish()
    }

    @Test func `answers in another order than the requests find their callers`() throws {
        let host = try HostFixture()
        let description = #"""
            {"protocol":1,"name":"hostile","version":"1","kinds":["storage"],"limits":{"max_inflight":4}}
            """#
        // Collects four requests, then answers the last one first with the number in its key.
        let storage = try host.storage(
            BashPlugin.script(
                start: "held=()", description: description,
                call: #"""
                    held+=("$line")
                    (( ${#held[@]} == 4 )) && for (( i = 3; i >= 0; i-- )); do
                        line=${held[i]}; [[ $line =~ \"id\":\"([^\"]*)\" ]]; id=${BASH_REMATCH[1]}
                        key=$(member key); reply "{\"size\":${key#k}}"
                    done
                    """#))
        let sizes = try Callers.run(4) { number in try storage.stat(key: "k\(number)").size }
        #expect(sizes == [0, 1, 2, 3])
        #expect(host.record.processes.count == 1)
        try host.finish()
    }

    @Test func `progress keeps a transfer alive until the hard deadline`() throws {
        let host = try HostFixture(
            .brief {
                $0.transferIdle = .milliseconds(700)
                $0.transferBase = .milliseconds(1500)
            })
        let description = #"""
            {"protocol":1,"name":"hostile","version":"1","kinds":["storage"],"features":{"progress":true}}
            """#
        let storage = try host.storage(
            BashPlugin.script(
                description: description,
                // The pause is a read that nothing comes for.
                call: #"""
                    while printf '{"jsonrpc":"2.0","method":"progress","params":{"request":"%s","done":1}}\n' "$id" >&3
                    do read -rt 0.05; (( $? == 1 )) && exit; done
                    """#))
        let error = try host.failure { try host.put([1], as: "a", into: storage) }
        #expect(error.code == .timeout)
        #expect(error.message.contains("took longer than 1.5 seconds"))
        try host.finish()
    }

    @Test func `an answer that comes in drops is too late`() throws {
        let host = try HostFixture(.brief { $0.short = .milliseconds(300) })
        let storage = try host.storage(
            BashPlugin.script(
                call: #"""
                    answer="{\"jsonrpc\":\"2.0\",\"id\":\"$id\",\"result\":{\"size\":7}}"
                    for (( i = 0; i < ${#answer}; i++ )); do
                        printf '%s' "${answer:i:1}" >&3; read -rt 0.05; (( $? == 1 )) && exit
                    done
                    """#))
        let error = try host.failure { try storage.stat(key: "a") }
        #expect(error.code == .timeout)
        #expect(error.message.contains("took longer than 0.3 seconds"))
        try host.finish()
    }

    @Test func `a transfer without progress ends by the idle deadline`() throws {
        let host = try HostFixture(.brief { $0.transferIdle = .milliseconds(150) })
        let description = #"""
            {"protocol":1,"name":"hostile","version":"1","kinds":["storage"],"features":{"progress":true}}
            """#
        let storage = try host.storage(BashPlugin.script(description: description, call: "sleep 60"))
        let error = try host.failure { try host.put([1], as: "a", into: storage) }
        #expect(error.code == .timeout)
        #expect(error.message.contains("made no progress for 0.15 seconds"))
        try host.finish()
    }

    @Test func `calls after the end are refused`() throws {
        let host = try HostFixture()
        let storage = try host.storage(BashPlugin.script(call: BashPlugin.stat))
        storage.close()
        #expect(try host.failure { try storage.stat(key: "a") }.code == .closed)
        try host.finish()
        #expect(try host.failure { try host.storage(BashPlugin.script()) }.code == .closed)
    }
}
