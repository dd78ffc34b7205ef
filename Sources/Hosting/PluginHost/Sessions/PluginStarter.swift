import JSON
import JSONRPC
import PluginProtocol
import Threads

/// Starts processes of one plugin and takes them through `describe` and `open`.
struct PluginStarter: Sendable {
    let context: HostContext
    let reference: PluginReference
    let mask: SecretMask

    private var subject: PluginSubject { reference.subject }

    /// Starts a process; nothing was sent to it yet.
    ///
    /// - Throws: ``PluginHostError``: `unsafeExecutable`, `startFailed`, `spool`.
    func start(in shared: SharedSpool) throws -> PluginInstance {
        if let reason = ExecutableCheck.objection(to: reference.executable) {
            throw PluginHostError.unsafeExecutable(
                name: reference.name, path: reference.executable, reason: reason)
        }
        let spool = try shared.makeProcessSpool()
        do {
            let request = SpawnRequest(
                executable: reference.executable, arguments: reference.arguments,
                environment: PluginEnvironment.variables(
                    passed: context.configuration.environmentPassed, temporaryDirectory: spool.temporary),
                directory: spool.temporary, input: .pipe, output: .pipe, error: .pipe,
                // Hooks and sources may have to call sudo, to stop a service or to dump as its user.
                mayGainPrivileges: reference.kind != .storage)
            let child: SpawnedChild
            do { child = try SpawnerThread.shared.spawn(request) } catch let failure as SpawnFailure {
                throw PluginHostError.startFailed(subject, failure)
            }
            spool.record(child)
            let process = try PluginProcess(
                child, subject: subject, deadlines: context.deadlines, mask: mask, emit: context.emit)
            return PluginInstance(process: process, spool: spool)
        } catch {
            spool.remove()
            throw error
        }
    }

    /// Asks a new process what it is.
    ///
    /// - Throws: ``PluginHostError``: `refused` when it is not usable, and what any call throws.
    func describe(_ instance: PluginInstance, _ cancellation: Cancellation?) throws -> PluginDescription {
        let options = CallOptions(
            label: PluginMethod.describe.name, hard: context.deadlines.describe, idle: nil, cancellation: cancellation)
        let parameters = DescribeParameters(
            hostName: "stillpoint", hostVersion: context.configuration.hostVersion)
        let description: PluginDescription
        do { description = try instance.call(Describe.self, parameters, options) } catch let error as PluginHostError {
            throw refusal(error)
        }
        guard PluginProtocolVersion.supported.contains(description.protocolVersion) else {
            let ours = PluginProtocolVersion.supported.map(String.init).joined(separator: ", ")
            throw PluginHostError(
                .refused,
                "\(subject.title) answered with version \(description.protocolVersion) of the protocol, this host "
                    + "speaks \(ours); upgrade the older one of the two",
                subject: subject)
        }
        return description
    }

    /// Hands the configuration to a process that was described.
    func open(
        _ instance: PluginInstance, name: String, mode: AccessMode, configuration: JSONObject, input: String,
        _ cancellation: Cancellation?
    ) throws -> OpenResult {
        let options = CallOptions(
            label: PluginMethod.open.name, hard: context.deadlines.open, idle: nil, cancellation: cancellation)
        guard let input = SpoolPath(input), let output = SpoolPath(instance.spool.output),
            let temporary = SpoolPath(instance.spool.temporary)
        else { throw PluginHostError.unusableSpoolPath(instance.spool.output) }
        let parameters = OpenParameters(
            instance: name, mode: mode,
            spool: SpoolDirectories(input: input, output: output, temporary: temporary), config: configuration)
        do { return try instance.call(Open.self, parameters, options) } catch let error as PluginHostError {
            throw refusal(error)
        }
    }

    /// An error answer to `describe` or `open` is a refusal; everything else stays what it is.
    private func refusal(_ error: PluginHostError) -> PluginHostError {
        guard error.code == .remote else { return error }
        var refusal = PluginHostError(.refused, error.message, subject: subject)
        refusal.request = error.request
        refusal.remote = error.remote
        refusal.retryable = error.retryable
        return refusal
    }
}
