import Glibc
import JSON
import JSONRPC
import PluginProtocol
import TestSupport

/// The hook plugin, with commands that are scripts in a directory of their own and write what they do into `trace`.
final class HookFixture: Sendable {
    let directory: TemporaryDirectory
    let process: PluginProcess
    var host: Conversation { process.conversation }

    /// - Parameter scripts: bash texts by event; `$D` is the directory. `timeouts` are in milliseconds.
    init(_ scripts: [String: String], timeouts: [String: Int64] = [:], members: [String: JSONObject] = [:]) throws {
        directory = try TemporaryDirectory("hook")
        process = try PluginProcess(Places.plugin("stillpoint-hook-exec"))
        mkdir(directory.path("tmp"), 0o700)
        var events = JSONObject()
        for (event, text) in scripts.sorted(by: { $0.key < $1.key }) {
            let path = try directory.write("#!/bin/bash\nD=\(directory.path)\n\(text)\n", to: "bin/\(event)")
            chmod(path, 0o755)
            var hook: JSONObject = ["command": [.string(path), "argument one"]]
            hook["timeout_ms"] = timeouts[event].map { .integer($0) }
            for (name, value) in members[event]?.members ?? [] { hook[name] = value }
            events[event] = .object(hook)
        }
        try host.open(["events": .object(events)], spool: directory.path)
    }

    static func parameters(
        _ event: HookEvent, run: String = "run-1", deadline: Int64 = 60_000, outcome: HookOutcome? = nil,
        state: String? = nil, dryRun: Bool = false, context: JSONObject = [:]
    ) -> HookRunParameters {
        HookRunParameters(
            event: event, run: run, deadlineMilliseconds: deadline, dryRun: dryRun, outcome: outcome, state: state,
            context: context)
    }

    func run(_ parameters: HookRunParameters) throws -> HookRunResult {
        try HookRunResult(try host.call("hook.run", parameters.encoded))
    }

    func failure(_ parameters: HookRunParameters) throws -> RPCError? {
        try host.failure("hook.run", parameters.encoded)
    }

    /// What the scripts wrote into `trace`, line by line.
    var trace: [String] {
        let bytes = (try? directory.read("trace")) ?? []  // Absent before the first line.
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { String($0) }
    }
}
