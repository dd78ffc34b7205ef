import JSON
import JSONRPC
import PluginProtocol
import Synchronization
import Threads

/// A plugin that was opened with one configuration: up to `max_instances` processes that take up to `max_inflight`
/// requests each, started when needed and again when they die.
final class PluginSession: Sendable {
    /// What the plugin is opened with.
    struct Opening: Sendable {
        let reference: PluginReference
        let name: String
        let mode: AccessMode
        /// Secrets still as references.
        let configuration: JSONObject
        let cancellation: Cancellation
    }

    let context: HostContext
    let opening: Opening
    let shared: SharedSpool
    let pool: InstancePool
    private let starter: PluginStarter
    private let knownDescription = Mutex<PluginDescription?>(nil)
    /// As the plugin gets it; nil before the secrets were read, and when they have to be read again.
    private let configuration = Mutex<JSONObject?>(nil)
    private let closed: @Sendable (PluginSession) -> Void

    /// - Parameter closed: called by ``close()``.
    init(
        _ opening: Opening, context: HostContext, closed: @escaping @Sendable (PluginSession) -> Void
    ) throws {
        self.opening = opening
        self.context = context
        self.closed = closed
        shared = try context.spool.makeShared(name: opening.reference.name)
        starter = PluginStarter(context: context, reference: opening.reference, mask: SecretMask())
        pool = InstancePool(subject: opening.reference.subject, deadlines: context.deadlines)
    }

    var subject: PluginSubject { opening.reference.subject }

    /// What the plugin said it is; known once the first process was opened.
    var description: PluginDescription? { knownDescription.withLock { $0 } }

    /// Starts and opens the first process, so that a plugin that cannot work is known at once.
    ///
    /// - Throws: ``PluginHostError``.
    func start() throws {
        do { try perform("open", isRepeatable: true) { _ in } } catch {
            close()
            throw error
        }
    }

    /// Runs `body` with a process that has room for one more request, again on another one as the rules allow.
    ///
    /// - Parameters:
    ///   - label: method and object, for messages.
    ///   - isRepeatable: whether the request may be sent again when its outcome is not known.
    ///   - cancellation: ends the wait for a process, its start, and pauses; nil for that of the plugin.
    /// - Throws: ``PluginHostError``.
    func perform<Result>(
        _ label: String, isRepeatable: Bool, cancellation: Cancellation? = nil,
        _ body: (PluginInstance) throws -> Result
    ) throws -> Result {
        let cancellation = cancellation ?? opening.cancellation
        var policy = RetryPolicy(context.deadlines, isRepeatable: isRepeatable)
        var mayHaveBeenSent = false
        func final(_ error: PluginHostError) -> PluginHostError {
            var error = error
            error.mayHaveBeenSent = mayHaveBeenSent
            return error
        }
        while true {
            do { return try attempt(label, policy.attempt, cancellation, body) } catch let failure as AttemptFailure {
                let error = failure.error
                // A request that has no line is refused before anything of it is written.
                if failure.wasSent, error.code != .invalidConfiguration { mayHaveBeenSent = true }
                // A plugin that never worked is not tried again when it dies: that is no accident.
                if !failure.wasSent, !pool.hasOpened, error.remote == nil { throw final(error) }
                switch policy.decide(error, wasSent: failure.wasSent, factor: HostContext.jitter()) {
                case .fail: throw final(error)
                case .failAsPoison: throw final(PluginHostError.poison(subject, request: label, cause: error))
                case .retry(let delay, let reopen):
                    if reopen { forgetSecrets() }
                    context.emit(
                        .retried(
                            plugin: subject.name, request: label, attempt: policy.attempt, reason: error.message))
                    do { try Pause.wait(delay, cancellation) } catch {
                        throw final(PluginHostError.cancelled(subject, request: label))
                    }
                }
            }
        }
    }

    /// Ends all processes in order and removes the spool.
    func close() {
        pool.close()
        shared.remove()
        closed(self)
    }

    private struct AttemptFailure: Error {
        let error: PluginHostError
        let wasSent: Bool
    }

    private func attempt<Result>(
        _ label: String, _ attempt: Int, _ cancellation: Cancellation, _ body: (PluginInstance) throws -> Result
    ) throws -> Result {
        let asked = ContinuousClock.now
        var sent: ContinuousClock.Instant?
        func trace(_ outcome: String) {
            let now = ContinuousClock.now
            context.emit(
                .called(
                    PluginCallTrace(
                        plugin: subject.name, request: label, attempt: attempt, queued: (sent ?? now) - asked,
                        worked: sent.map { now - $0 } ?? .zero, outcome: outcome)))
        }
        do {
            let instance = try pool.take(cancellation) { try startInstance(cancellation) }
            defer { pool.give(back: instance) }
            sent = .now
            let result = try body(instance)
            pool.noteSuccess()
            trace("ok")
            return result
        } catch let error as PluginHostError {
            pool.noteFailure(error)
            trace(error.remote.map { "\($0.code)" } ?? error.code.description)
            throw AttemptFailure(error: error, wasSent: sent != nil)
        }
    }

    private func startInstance(_ cancellation: Cancellation) throws -> PluginInstance {
        let instance = try starter.start(in: shared)
        do {
            let description = try starter.describe(instance, cancellation)
            try accept(description)
            let result = try starter.open(
                instance, name: opening.name, mode: opening.mode, configuration: try resolved(description),
                input: shared.input, cancellation)
            if let place = result.spoolNear, opening.mode == .readWrite { moveSpool(near: place) }
            pool.allow(description.limits)
            if let reason = pool.takeDeathReason() {
                context.emit(.restarted(plugin: subject.name, reason: reason))
            }
            return instance
        } catch {
            instance.close()
            throw error
        }
    }

    /// A plugin that says something else after a restart is another plugin.
    private func accept(_ description: PluginDescription) throws {
        guard description.kinds.contains(opening.reference.kind) else {
            let kinds = description.kinds.map(\.rawValue).joined(separator: ", ")
            throw PluginHostError(
                .refused, "\(subject.title) is no \(opening.reference.kind) plugin; it is for: \(kinds)",
                subject: subject)
        }
        let known = knownDescription.withLock { known in
            defer { if known == nil { known = description } }
            return known
        }
        guard let known, known != description else { return }
        guard known.name == description.name, known.kinds == description.kinds,
            known.features == description.features, known.configSchema == description.configSchema
        else {
            throw PluginHostError(
                .refused, "\(subject.title) describes itself differently than before; was it replaced?",
                subject: subject)
        }
    }

    private func resolved(_ description: PluginDescription) throws -> JSONObject {
        if let known = configuration.withLock({ $0 }) { return known }
        let (clear, secrets) = try context.secrets.resolve(opening.configuration)
        starter.mask.add(secrets)
        let merged: JSONObject
        do { merged = try description.configSchema.resolve(clear) } catch {
            throw PluginHostError(
                .invalidConfiguration, "the configuration of \(subject.title) is not what it asks for",
                subject: subject, cause: error)
        }
        starter.mask.add(description.configSchema.secrets(in: merged))
        configuration.withLock { $0 = merged }
        return merged
    }

    private func forgetSecrets() {
        configuration.withLock { $0 = nil }
        pool.retireAll()
    }

    /// A store that cannot have the spool near it gets its objects by copying instead.
    private func moveSpool(near place: SpoolPath) {
        do {
            try shared.moveNear(place) { path, killed in
                context.emit(.sweptSpool(path: path, killedProcesses: killed))
            }
        } catch {
            context.emit(.warning(plugin: subject.name, message: "objects will be copied into the store: \(error)"))
        }
    }
}

extension PluginHostError {
    static func poison(_ subject: PluginSubject, request: String, cause: PluginHostError) -> PluginHostError {
        var error = PluginHostError(
            .poison, "\(subject.title) died twice of \(request), which is not sent again", subject: subject,
            cause: PluginHostError(cause.code, cause.message))
        error.request = request
        error.exitStatus = cause.exitStatus
        error.signal = cause.signal
        error.lastStandardError = cause.lastStandardError
        return error
    }

    static func cancelled(_ subject: PluginSubject, request: String) -> PluginHostError {
        var error = PluginHostError(.cancelled, "\(request) of \(subject.title) was cancelled", subject: subject)
        error.request = request
        return error
    }
}
