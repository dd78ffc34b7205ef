import Glibc
import JSONRPC
import PluginHost
import PluginProtocol
import TestSupport
import Testing

@Suite struct `Plugins that do not start` {
    @Test(arguments: [0, 1, 3])
    func `a plugin that exits at once is told with its status and last words`(status: Int32) throws {
        let host = try HostFixture()
        let error = try host.failure {
            try host.storage("#!/bin/bash\necho 'no licence found' >&2\nexit \(status)\n")
        }
        #expect(error.code == .died)
        #expect(error.exitStatus == status)
        #expect(error.signal == nil)
        #expect(error.message.contains("plugin 'hostile'"))
        #expect(error.message.hasSuffix("exited with status \(status) before it answered describe"))
        #expect(error.lastStandardError == ["no licence found"])
        #expect(error.description.contains("\n  no licence found"))
        try host.finish()
    }

    @Test func `a plugin that a signal ends is told with the signal`() throws {
        let host = try HostFixture()
        let error = try host.failure { try host.storage("#!/bin/bash\nkill -SEGV $$\n") }
        #expect(error.code == .died)
        #expect(error.exitStatus == nil)
        #expect(error.signal == SIGSEGV)
        #expect(error.message.contains("was ended by signal 11 (Segmentation fault)"))
        try host.finish()
    }

    @Test func `a plugin that never answers describe is stopped`() throws {
        let host = try HostFixture(.brief { $0.describe = .milliseconds(150) })
        let error = try host.failure { try host.storage(BashPlugin.script(describe: "exec sleep 60")) }
        #expect(error.code == .timeout)
        #expect(error.request == "describe")
        #expect(error.signal == SIGTERM)
        #expect(error.message.contains("took longer than 0.15 seconds"))
        try host.finish()
    }

    @Test func `a plugin that hangs in open is stopped, whatever it ignores`() throws {
        let host = try HostFixture(
            .brief {
                $0.open = .milliseconds(150)
                $0.exitAfterTerminate = .milliseconds(150)
            })
        let error = try host.failure {
            try host.storage(BashPlugin.script(start: "trap '' TERM", open: "while :; do sleep 60; done"))
        }
        #expect(error.code == .timeout)
        #expect(error.request == "open")
        #expect(error.signal == SIGKILL)
        try host.finish()
    }

    @Test func `a plugin that refuses to open is told in its own words and not tried again`() throws {
        let host = try HostFixture()
        let error = try host.failure { try host.storage(BashPlugin.script(open: "fail 12 'no such bucket'")) }
        #expect(error.code == .refused)
        #expect(error.remote?.code == .badConfig)
        #expect(error.message.contains("answered open with bad_config (12): no such bucket"))
        #expect(host.record.processes.count == 1)
        try host.finish()
    }

    @Test func `a plugin that is not reachable for a moment is opened again`() throws {
        let host = try HostFixture()
        let seen = host.directory.path("seen")
        let storage = try host.storage(
            BashPlugin.script(open: "[[ -e \(seen) ]] && reply '{}' || { : >\(seen); fail 7 'not now'; }"))
        #expect(host.record.processes.count == 2)
        storage.close()
        try host.finish()
    }

    @Test func `a plugin of another kind is refused`() throws {
        let host = try HostFixture()
        let description = #"{"protocol":1,"name":"hostile","version":"1","kinds":["hook"]}"#
        let error = try host.failure { try host.storage(BashPlugin.script(description: description)) }
        #expect(error.code == .refused)
        #expect(error.message.hasSuffix("is no storage plugin; it is for: hook"))
        try host.finish()
    }

    @Test func `a plugin of another protocol is refused with the remedy`() throws {
        let host = try HostFixture()
        let description = #"{"protocol":9,"name":"hostile","version":"1","kinds":["storage"]}"#
        let error = try host.failure { try host.storage(BashPlugin.script(description: description)) }
        #expect(error.code == .refused)
        #expect(error.message.contains("version 9 of the protocol, this host speaks 1; upgrade"))
        try host.finish()
    }

    @Test func `a missing interpreter is named`() throws {
        let host = try HostFixture()
        let error = try host.failure { try host.storage("#!/nonexistent/interpreter\n") }
        #expect(error.code == .startFailed)
        #expect(error.description.contains("it could not be executed: No such file or directory (is the interpreter"))
        try host.finish()
    }

    @Test(arguments: [(0o775, "can be written by its group"), (0o757, "can be written by everybody")])
    func `an executable that others can change is refused`(mode: Int, reason: String) throws {
        let host = try HostFixture()
        let plugin = try host.plugin(BashPlugin.script())
        #expect(chmod(plugin.executable, mode_t(mode)) == 0)
        let error = try host.failure { try host.supervisor.describe(plugin) }
        #expect(error.code == .unsafeExecutable)
        #expect(error.message.contains(plugin.executable))
        #expect(error.message.contains("is not started: it \(reason)"))
        #expect(host.record.processes == [])
        try host.finish()
    }

    @Test func `describe is asked once for each version of a file`() throws {
        let host = try HostFixture()
        let plugin = try host.plugin(BashPlugin.script())
        #expect(try host.supervisor.describe(plugin).name == "hostile")
        #expect(try host.supervisor.describe(plugin).name == "hostile")
        #expect(host.record.processes.count == 1)
        let other = try host.plugin(BashPlugin.script() + "\n# changed\n")
        #expect(try host.supervisor.describe(other).name == "hostile")
        #expect(host.record.processes.count == 2)
        try host.finish()
    }

    @Test func `a plugin that describes itself differently after a restart is refused`() throws {
        let host = try HostFixture()
        let seen = host.directory.path("seen")
        let storage = try host.storage(
            BashPlugin.script(
                start: """
                    [[ -e \(seen) ]] && DESCRIPTION=${DESCRIPTION/'"name":"hostile"'/'"name":"other"'}; : >\(seen)
                    """,
                call: "exit 1"))
        let error = try host.failure { try storage.stat(key: "a") }
        #expect(error.code == .refused)
        #expect(error.message.contains("describes itself differently than before"))
        try host.finish()
    }
}
