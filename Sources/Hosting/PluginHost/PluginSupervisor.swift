package import JSON
package import Logging
package import PluginProtocol
import CLinux
import Synchronization
package import Threads

/// The plugins of this process: finds out what they are, opens them, and ends them all.
///
/// Safe from all threads; every call blocks its caller and ends, at the latest by a deadline. SIGPIPE no longer ends
/// this process from the first supervisor on, since a plugin may stop reading at any time.
package final class PluginSupervisor: Sendable {
    private struct CacheKey: Hashable {
        let executable: String
        let arguments: [String]
        let identity: ExecutableCheck.Identity
    }

    private struct State {
        var sessions: [PluginSession] = []
        var descriptions: [CacheKey: PluginDescription] = [:]
        var isShutDown = false
    }

    private let context: HostContext
    private let state = Mutex(State())

    /// Makes the run directory of the spool and removes what hosts that were killed have left there, their plugins
    /// included.
    ///
    /// - Throws: ``PluginHostError`` `spool`.
    package init(configuration: PluginHostConfiguration, logger: Logger) throws {
        clinux_survive_broken_pipes()
        context = try HostContext(configuration: configuration, logger: logger)
    }

    /// What a plugin says it is. Starts it, unless this version of the file was asked before.
    ///
    /// - Throws: ``PluginHostError``.
    package func describe(
        _ reference: PluginReference, cancellation: Cancellation = Cancellation()
    ) throws -> PluginDescription {
        let key = (try? ExecutableCheck.identity(of: reference.executable)).map {
            CacheKey(executable: reference.executable, arguments: reference.arguments, identity: $0)
        }
        if let key, let known = state.withLock({ $0.descriptions[key] }) { return known }
        let shared = try context.spool.makeShared(name: reference.name)
        defer { shared.remove() }
        let starter = PluginStarter(context: context, reference: reference, mask: SecretMask())
        let instance = try starter.start(in: shared)
        defer { instance.close() }
        let description = try starter.describe(instance, cancellation)
        if let key { state.withLock { $0.descriptions[key] = description } }
        return description
    }

    /// Starts a storage plugin and opens it.
    ///
    /// - Parameters:
    ///   - instance: a name for the plugin's own logs.
    ///   - config: checked against the plugin's schema; secrets as `{"secret": {"file"|"env"|"command"|"fd": …}}`.
    ///   - cancellation: stops this and all later calls of the plugin.
    /// - Throws: ``PluginHostError``.
    package func openStorage(
        _ reference: PluginReference, instance: String, mode: AccessMode, config: JSONObject,
        cancellation: Cancellation
    ) throws -> StoragePlugin {
        try StoragePlugin(try open(reference, .storage, instance, mode, config, cancellation))
    }

    /// Starts a hook plugin and opens it. The parameters are those of ``openStorage(_:instance:mode:config:cancellation:)``.
    ///
    /// - Throws: ``PluginHostError``.
    package func openHook(
        _ reference: PluginReference, instance: String, mode: AccessMode, config: JSONObject,
        cancellation: Cancellation
    ) throws -> HookPlugin {
        try HookPlugin(try open(reference, .hook, instance, mode, config, cancellation))
    }

    /// Starts a source plugin and opens it. The parameters are those of ``openStorage(_:instance:mode:config:cancellation:)``.
    ///
    /// - Throws: ``PluginHostError``.
    package func openSource(
        _ reference: PluginReference, instance: String, mode: AccessMode, config: JSONObject,
        cancellation: Cancellation
    ) throws -> SourcePlugin {
        try SourcePlugin(try open(reference, .source, instance, mode, config, cancellation))
    }

    /// Closes every plugin that is still open and removes the run directory; the supervisor opens nothing afterwards.
    package func shutdown() {
        let sessions = state.withLock { state in
            state.isShutDown = true
            return state.sessions
        }
        for session in sessions { session.close() }
        context.spool.remove()
    }

    private func open(
        _ reference: PluginReference, _ kind: PluginKind, _ name: String, _ mode: AccessMode, _ config: JSONObject,
        _ cancellation: Cancellation
    ) throws -> PluginSession {
        // A reference found for another kind is taken for this one: the plugin says what it is.
        let wanted = PluginReference(
            kind: kind, name: reference.name, executable: reference.executable, arguments: reference.arguments)
        guard !state.withLock({ $0.isShutDown }) else { throw shutDown(wanted) }
        let session = try PluginSession(
            PluginSession.Opening(
                reference: wanted, name: name, mode: mode, configuration: config, cancellation: cancellation),
            context: context
        ) { [weak self] session in self?.state.withLock { $0.sessions.removeAll { $0 === session } } }
        let isShutDown = state.withLock { state in
            if !state.isShutDown { state.sessions.append(session) }
            return state.isShutDown
        }
        guard !isShutDown else {
            session.close()
            throw shutDown(wanted)
        }
        try session.start()
        return session
    }

    private func shutDown(_ reference: PluginReference) -> PluginHostError {
        PluginHostError(
            .closed, "\(reference.subject.title) is not opened: the plugin host was shut down",
            subject: reference.subject)
    }
}
