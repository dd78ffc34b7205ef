import PluginProtocol
import TestSupport
import Testing

@Suite struct `Standard streams of a plugin` {
    private let plugin = Places.plugin("stillpoint-storage-filesystem")

    @Test func `it says its version and what it is for, and exits`() throws {
        let directory = try TemporaryDirectory("streams")
        let version = try #require(try ShellScript("\(plugin) --version").run(in: directory))
        #expect(version == ShellScript.Result(status: 0, output: "storage-filesystem 0.1.0\n"))
        let help = try #require(try ShellScript("\(plugin) --help").run(in: directory))
        #expect(help.status == 0)
        #expect(help.output.hasPrefix("storage-filesystem 0.1.0 is a storage plugin of Stillpoint.\n"))
    }

    @Test(.enabled(if: ShellScript.isInstalled("script")))
    func `started by hand on a terminal, it explains itself`() throws {
        let directory = try TemporaryDirectory("streams")
        let shown = try #require(try ShellScript("script -qec \(plugin) /dev/null").run(in: directory))
        #expect(shown.status == 2)
        #expect(shown.output.contains("there is nothing to type here"))
    }

    @Test func `with a pipe instead of a terminal it serves, also without a host`() throws {
        let directory = try TemporaryDirectory("streams")
        let request = #"{"jsonrpc":"2.0","id":"1","method":"describe","params":{"protocols":[1]}}"#
        let served = try #require(try ShellScript("printf '%s\\n' '\(request)' | \(plugin)").run(in: directory))
        #expect(served.status == 0)
        #expect(
            served.output.hasPrefix(#"{"jsonrpc":"2.0","id":"1","result":{"protocol":1,"name":"storage-filesystem""#))
    }

    @Test func `with standard output closed it says so and ends`() throws {
        let directory = try TemporaryDirectory("streams")
        let closed = try #require(try ShellScript("\(plugin) </dev/null >&-").run(in: directory))
        #expect(
            closed == ShellScript.Result(status: 2, output: "storage-filesystem: standard input or output is closed\n"))
    }

    @Test func `what a hook starts reaches neither the requests nor the replies`() throws {
        let fixture = try HookFixture([
            "notify": "ls -l /proc/self/fd | grep -c pipe > $D/trace; cat; echo '{\"jsonrpc\":\"2.0\"}'"
        ])
        _ = try fixture.run(HookFixture.parameters(.notify))
        // `ls` itself has standard output to grep and standard error to the plugin: two pipes.
        #expect(fixture.trace == ["2"])
        #expect(fixture.host.logged == ["{\"jsonrpc\":\"2.0\"}"])
    }
}
