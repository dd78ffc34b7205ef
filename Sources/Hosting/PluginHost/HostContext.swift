import Logging
import PluginProtocol
import Threads

/// What all plugins of one supervisor share.
final class HostContext: Sendable {
    let configuration: PluginHostConfiguration
    let logger: Logger
    let spool: Spool
    let secrets: SecretResolver

    init(configuration: PluginHostConfiguration, logger: Logger) throws {
        self.configuration = configuration
        self.logger = logger
        secrets = SecretResolver(commandLimit: configuration.deadlines.secretCommand)
        let onEvent = configuration.onEvent
        spool = try Spool(root: configuration.spoolRoot) { path, killed in
            onEvent(.sweptSpool(path: path, killedProcesses: killed))
            logger.info(
                "removed a spool that was left behind",
                metadata: ["spool.path": "\(path)", "spool.killed": "\(killed)"])
        }
    }

    var deadlines: PluginDeadlines { configuration.deadlines }

    func emit(_ event: PluginEvent) { configuration.onEvent(event) }

    /// 0.8...1.2.
    static func jitter() -> Double { Double.random(in: 0.8...1.2) }
}

/// Waits that a cancellation cuts short.
enum Pause {
    /// - Throws: `CancellationFailure` when the cancellation fires first.
    static func wait(_ duration: Duration, _ cancellation: Cancellation?) throws {
        guard duration > .zero else { return }
        let gate = Condition(())
        let token = cancellation?.onCancel { gate.withLock { _ in } }
        defer { if let token { cancellation?.remove(token) } }
        gate.wait(timeout: duration) { _ in cancellation?.isCancelled ?? false ? () : nil }
        try cancellation?.check()
    }
}
