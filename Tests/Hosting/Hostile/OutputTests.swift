import Glibc
import JSON
import JSONRPC
import PluginHost
import PluginProtocol
import TestSupport
import Testing

@Suite struct `Plugins that print what they should not` {
    /// Opens a plugin that answers `stat` with `call` and returns the error of that call.
    private func failure(
        _ host: HostFixture, call: String, description: String = BashPlugin.description
    ) throws -> PluginHostError {
        let storage = try host.storage(BashPlugin.script(description: description, call: call))
        return try host.failure { try storage.stat(key: "a") }
    }

    @Test func `a banner is tolerated and told`() throws {
        let host = try HostFixture()
        let storage = try host.storage(
            BashPlugin.script(start: #"echo "Welcome to the store"; echo"#, call: BashPlugin.stat))
        #expect(try storage.stat(key: "a").size == 7)
        #expect(host.record.all.contains(.noise(plugin: "hostile", line: "Welcome to the store")))
        #expect(
            host.record.all.contains(
                .warning(
                    plugin: "hostile",
                    message: "prints on standard output what is no message; such output belongs on standard error")))
        try host.finish()
    }

    @Test func `a message glued to noise fails at once`() throws {
        let host = try HostFixture()
        let error = try failure(host, call: #"printf 'size is '; reply '{"size":7}'"#)
        #expect(error.code == .protocolViolation)
        #expect(error.message.contains("glued a message to other output"))
        try host.finish()
    }

    @Test func `a flood of noise is stopped at the budget`() throws {
        let host = try HostFixture()
        let error = try failure(host, call: "yes noise >&3")
        #expect(error.code == .protocolViolation)
        #expect(error.message.contains("printed more than 100 lines or 65536 bytes on standard output"))
        #expect(host.record.all.count { if case .noise = $0 { true } else { false } } <= 200)
        try host.finish()
    }

    @Test(arguments: [
        "head -c 3000000 /dev/zero | tr '\\0' x >&3", "head -c 1048577 /dev/zero | tr '\\0' x >&3; echo >&3",
    ])
    func `a line over the cap is refused`(print: String) throws {
        let host = try HostFixture()
        let error = try failure(host, call: print)
        #expect(error.code == .protocolViolation)
        #expect(error.message.contains("sent a line longer than 1048576 bytes"))
        try host.finish()
    }

    @Test func `a line of exactly the cap is taken`() throws {
        let host = try HostFixture()
        // {"jsonrpc":"2.0","id":"h3","result":{"size":7,"pad":"…"}} of 1,048,576 bytes.
        let storage = try host.storage(
            BashPlugin.script(
                call: #"""
                    head="{\"jsonrpc\":\"2.0\",\"id\":\"$id\",\"result\":{\"size\":7,\"pad\":\""
                    { printf '%s' "$head"; head -c $((1048576 - ${#head} - 3)) /dev/zero | tr '\0' x; printf '"}}\r\n'; } >&3
                    """#))
        #expect(try storage.stat(key: "a").size == 7)
        #expect(host.record.processes.count == 1)
        try host.finish()
    }

    @Test(arguments: [
        (#"printf '{"jsonrpc":"2.0",\n' >&3"#, "sent a line that is not a message: not valid JSON"),
        (#"printf '{"jsonrpc":"2.0","id":"%s","result":{"size":\xff}}\n' "$id" >&3"#, "is not a message"),
        (#"printf '{"id":"%s","result":{"size":7}}\n' "$id" >&3"#, #"without "jsonrpc":"2.0""#),
        (#"id=h999; reply '{"size":7}'"#, "answered a request 'h999' that is not waiting for an answer"),
        (#"printf '{"jsonrpc":"2.0","id":3,"result":{"size":7}}\n' >&3"#, "a response with an integer instead of"),
        (#"printf '{"jsonrpc":"2.0","id":null,"result":{"size":7}}\n' >&3"#, "a response with null instead of"),
        (#"printf '{"jsonrpc":"2.0","result":{"size":7}}\n' >&3"#, "a response with no id instead of"),
        (
            #"printf '{"jsonrpc":"2.0","id":"%s","result":{"size":7},"error":{"code":1,"message":"x"}}\n' "$id" >&3"#,
            "sent a response with both 'result' and 'error'"
        ),
        (#"printf '{"jsonrpc":"2.0","id":"%s"}\n' "$id" >&3"#, "sent a response with neither 'result' nor 'error'"),
        ("reply '[]'", "sent a 'result' that is an array instead of an object"),
        (#"printf '{"jsonrpc":"2.0","id":"%s","error":{"message":"x"}}\n' "$id" >&3"#, "sent an error that is not one"),
        (#"reply '{"size":7.0}'"#, "with a result of the wrong shape: 'result.size' must be an integer"),
        (#"reply '{"size":"7"}'"#, "with a result of the wrong shape: 'result.size' must be an integer"),
        (#"reply '{"size":-7}'"#, "with a result of the wrong shape: 'result.size' must be an integer from 0"),
        (#"reply '{"size":9223372036854775808}'"#, "sent a line that is not a message"),
        (#"reply '{"size":7,"size":8}'"#, "a JSON object names a member twice"),
        ("reply '{}'", "with a result of the wrong shape: 'result.size' is missing"),
    ])
    func `an answer that is none ends the plugin`(call: String, reason: String) throws {
        let host = try HostFixture()
        let error = try failure(host, call: call)
        #expect(error.code == .protocolViolation)
        #expect(error.message.contains(reason), "\(error.message)")
        #expect(error.request == "storage.stat a")
        // Once more on a fresh process, since stat may be repeated; then it is enough.
        #expect(host.record.processes.count == 2)
        try host.finish()
    }

    @Test func `a second answer ends the plugin, and the next call gets a new one`() throws {
        let host = try HostFixture()
        let storage = try host.storage(BashPlugin.script(call: #"reply '{"size":7}'; reply '{"size":8}'"#))
        #expect(try storage.stat(key: "a").size == 7)
        let reason = host.record.first { if case .ended(_, _, let reason) = $0 { reason } else { nil } }
        #expect(reason?.contains("that is not waiting for an answer") == true)
        #expect(try storage.stat(key: "b").size == 7)
        #expect(host.record.processes.count == 2)
        try host.finish()
    }

    @Test func `requests to the host are answered with an error and counted`() throws {
        let host = try HostFixture()
        let storage = try host.storage(
            BashPlugin.script(
                call: #"""
                    printf '{"jsonrpc":"2.0","id":"p1","method":"host.secrets"}\n' >&3
                    read -r answer
                    printf '%s\n' "$answer" >&2
                    reply '{"size":7}'
                    """#))
        #expect(try storage.stat(key: "a").size == 7)
        let answer = host.record.first { event -> String? in
            if case .standardError(_, let line) = event { line } else { nil }
        }
        #expect(answer?.contains(#""id":"p1","error":{"code":-32601"#) == true)
        try host.finish()
    }

    @Test func `a plugin that asks too much is stopped`() throws {
        let host = try HostFixture()
        let error = try failure(
            host, call: #"for i in {1..101}; do printf '{"jsonrpc":"2.0","id":"p","method":"x"}\n'; done >&3"#)
        #expect(error.code == .protocolViolation)
        #expect(error.message.contains("sent more than 100 requests"))
        try host.finish()
    }

    @Test func `log and progress are passed on, nonsense in them is not`() throws {
        let host = try HostFixture()
        let storage = try host.storage(
            BashPlugin.script(
                call: #"""
                    note() { printf '{"jsonrpc":"2.0","method":"%s","params":%s}\n' "$1" "$2" >&3; }
                    note log '{"level":"warn","message":"red \u001b[31malert"}'
                    note progress "{\"request\":\"$id\",\"done\":9,\"total\":3}"
                    note progress '{"request":"h77","done":1}'
                    note progress "{\"request\":\"$id\",\"done\":3,\"total\":9,\"message\":\"a third\"}"
                    note news '{}'
                    reply '{"size":7}'
                    """#))
        #expect(try storage.stat(key: "a").size == 7)
        let events = host.record.all
        #expect(events.contains(.log(plugin: "hostile", level: .warning, message: #"red \u{1B}[31malert"#)))
        let progress = events.filter { if case .progress = $0 { true } else { false } }
        #expect(
            progress == [
                .progress(plugin: "hostile", request: "storage.stat a", done: 3, total: 9, message: "a third")
            ])
        try host.finish()
    }

    @Test func `a flood on standard error neither blocks nor fills the log`() throws {
        let host = try HostFixture()
        let storage = try host.storage(
            BashPlugin.script(call: #"yes 'a line of the flood' | head -c 20971520 >&2; reply '{"size":7}'"#))
        #expect(try storage.stat(key: "a").size == 7)
        storage.close()
        let lines = host.record.all.compactMap { if case .standardError(_, let line) = $0 { line } else { nil } }
        #expect(lines.count >= 1000 && lines.count < 5000)
        #expect(lines.last?.hasSuffix("more lines on standard error were left out)") == true)
        try host.finish()
    }

    @Test func `secrets are masked in standard error, logs and error texts`() throws {
        let host = try HostFixture()
        try host.directory.write("first-secret\n", to: "secret")
        #expect(chmod(host.directory.path("secret"), 0o600) == 0)
        let description = #"""
            {"protocol":1,"name":"hostile","version":"1","kinds":["storage"],"config_schema":{"type":"object",
            "properties":{"password":{"type":"string"},"token":{"type":"string","writeOnly":true}},
            "additionalProperties":false}}
            """#.split(separator: "\n").joined()
        let storage = try host.storage(
            BashPlugin.script(
                description: description,
                open: #"password=$(member password) token=$(member token); reply '{}'"#,
                call: #"""
                    echo "password is $password" >&2
                    printf '{"jsonrpc":"2.0","method":"log","params":{"message":"token is %s"}}\n' "$token" >&3
                    fail 4 "wrong: $password/$token"
                    """#),
            config: [
                "password": ["secret": ["file": .string(host.directory.path("secret"))]], "token": "second-secret",
            ])
        let error = try host.failure { try storage.stat(key: "a") }
        #expect(error.remote?.message == "wrong: ***/***")
        #expect(error.message.hasSuffix("permission_denied (4): wrong: ***/***"))
        storage.close()
        #expect(host.record.all.contains(.standardError(plugin: "hostile", line: "password is ***")))
        #expect(host.record.all.contains(.log(plugin: "hostile", level: .info, message: "token is ***")))
        #expect(!"\(host.record.all) \(error)".contains("-secret"))
        try host.finish()
    }
}
