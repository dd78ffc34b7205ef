package import PluginProtocol

/// How leases reach hook plugins.
package protocol LeaseHookCaller: Sendable {
    /// Opens the plugin of the lease with its configuration, restarting it when it has died, and runs one event.
    ///
    /// Must end by itself: at the latest when `timeout` is over.
    ///
    /// - Parameters:
    ///   - lease: says which plugin, executable and configuration.
    ///   - parameters: what is sent.
    ///   - timeout: how long the plugin may take to answer.
    /// - Throws: ``HookNotSent`` when it is certain that the plugin never saw the event, such as an executable that is
    ///   missing or a refused configuration; anything else for a failed event, a timeout, or a plugin that died.
    func call(_ lease: Lease, _ parameters: HookRunParameters, timeout: Duration) throws -> HookRunResult
}

/// Thrown by a ``LeaseHookCaller`` when the plugin never saw the event.
package struct HookNotSent: Error, CustomStringConvertible {
    /// Why not.
    package let cause: any Error

    /// Because of `cause`.
    package init(cause: any Error) { self.cause = cause }

    /// The cause in words.
    package var description: String { "\(cause)" }
}
