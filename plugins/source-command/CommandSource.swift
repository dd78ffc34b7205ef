import CLinux
import Glibc
import PluginKit

/// A dump is what a command writes to its standard output; loading it back is another command that reads it.
final class CommandSource: SourcePluginHandler {
    private let dump: [String]
    private let load: [String]?
    private let timeout: Duration?
    private let environment: [String: String]
    private let directory: String?

    /// Reads a configuration that was checked against the schema.
    init(_ config: JSONObject) throws {
        let reader = JSONReader(config, path: "config")
        dump = try reader.reader("dump").strings("command")
        load = try reader.optionalReader("load")?.strings("command")
        timeout = try reader.optionalCount("timeout_ms").map { .milliseconds($0) }
        let variables = try reader.optionalReader("env")
        environment =
            try variables.map { env in Dictionary(try env.object.names.map { ($0, try env.string($0)) }) { $1 } } ?? [:]
        directory = try reader.optionalString("directory")
    }

    func check(_ call: CallContext) throws {
        for arguments in [dump, load].compactMap({ $0 }) {
            _ = try command(arguments, run: "check", name: "", context: [:]).resolvedExecutable()
        }
    }

    func dump(_ parameters: SourceDumpParameters, _ call: CallContext) throws -> SourceDumpResult {
        let target = try Self.openTarget(parameters.path)
        defer { Glibc.close(target) }
        var command = command(dump, run: parameters.run, name: parameters.name, context: parameters.context)
        command.output = .copied(target)
        command.timeout = timeout(within: parameters.deadlineMilliseconds, grace: command.grace)
        let outcome = try execute(command, call)
        guard outcome.isSuccess else { throw failure(outcome, dump, "dump '\(parameters.name)'") }
        return SourceDumpResult(size: outcome.copiedOutput)
    }

    func load(_ parameters: SourceLoadParameters, _ call: CallContext) throws {
        guard let load else {
            throw PluginFailure.unsupported(
                "'config.load' is not set, so that '\(parameters.name)' cannot be loaded back")
        }
        let source = try Self.openSource(parameters.path)
        defer { Glibc.close(source) }
        var command = command(load, run: parameters.run, name: parameters.name, context: parameters.context)
        command.input = .copied(source)
        command.inputByteCount = parameters.size
        command.timeout = timeout
        let outcome = try execute(command, call)
        guard outcome.isSuccess else { throw failure(outcome, load, "load '\(parameters.name)'") }
        guard outcome.copiedInput == parameters.size else {
            throw PluginFailure.hookFailed(
                "the command '\(load.first ?? "")' to load '\(parameters.name)' exited with 0 but read only "
                    + "\(outcome.copiedInput) of \(parameters.size) bytes")
        }
    }
}

// MARK: Commands

extension CommandSource {
    private func command(_ arguments: [String], run: String, name: String, context: JSONObject) -> Command {
        var variables = CommandEnvironment.inherited()
        variables.merge(environment) { $1 }
        variables.merge(CommandEnvironment.variables(for: context)) { $1 }
        variables["STILLPOINT_RUN"] = run
        variables["STILLPOINT_DUMP"] = name
        return Command(arguments, environment: variables, directory: directory)
    }

    /// The operator's timeout, or the host's, shortened so that the answer comes before the host gives up.
    private func timeout(within milliseconds: Int64, grace: Duration) -> Duration {
        let deadline = Duration.milliseconds(milliseconds)
        let limit = max(deadline - grace - .seconds(1), deadline / 2)
        return timeout.map { min($0, limit) } ?? limit
    }

    private func execute(_ command: Command, _ call: CallContext) throws -> CommandOutcome {
        let stop = try StopSignal()
        call.onCancel { _ in stop.raise() }
        return try command.run(stop: stop) { line, isError in call.log(isError ? .warning : .info, line) }
    }

    private func failure(_ outcome: CommandOutcome, _ arguments: [String], _ what: String) -> PluginFailure {
        let last = outcome.lastLines.last.map { ": \($0)" } ?? ""
        let message = "the command '\(arguments.first ?? "")' to \(what) \(outcome.summary)\(last)"
        let detail = outcome.lastLines.isEmpty ? nil : outcome.lastLines.joined(separator: "\n")
        switch outcome.stop {
        case .requested, .readerGone: return PluginFailure(.cancelled, message, detail: detail)
        case .copyFailed(ENOSPC), .copyFailed(EDQUOT): return PluginFailure(.noSpace, message, detail: detail)
        default: return PluginFailure.hookFailed(message, detail: detail)
        }
    }
}

// MARK: Files

extension CommandSource {
    /// A file is made or emptied; a FIFO must have its reader already.
    private static func openTarget(_ path: SpoolPath) throws -> Int32 {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC | CLINUX_O_NOFOLLOW
        let number = clinux_open(path.text, flags, 0o600)
        guard number >= 0 else {
            if errno == ENXIO { throw PluginFailure.unavailable("nobody reads the FIFO '\(path)'") }
            throw PluginFailure.system("write to '\(path)'", errno: errno)
        }
        return number
    }

    private static func openSource(_ path: SpoolPath) throws -> Int32 {
        let number = clinux_open(path.text, O_RDONLY | O_NONBLOCK | O_CLOEXEC | CLINUX_O_NOFOLLOW, 0)
        guard number >= 0 else { throw PluginFailure.system("read '\(path)'", errno: errno) }
        return number
    }
}
