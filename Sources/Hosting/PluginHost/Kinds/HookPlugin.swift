package import PluginProtocol
package import Threads

/// A hook behind a plugin: it acts on the events of a run.
///
/// Freeze leases (that post follows every pre which was sent) are the caller's; this type only sends what it is told.
package final class HookPlugin: Sendable {
    /// What the plugin said it is.
    package let description: PluginDescription
    private let session: PluginSession

    init(_ session: PluginSession) throws {
        self.session = session
        guard let description = session.description else {
            throw PluginHostError(.closed, "\(session.subject.title) was closed", subject: session.subject)
        }
        self.description = description
    }

    /// Runs the hook for one event.
    ///
    /// A plugin that died since the last call is started and opened again first. When it dies *during* the call, that is
    /// `died`; the next call starts it again.
    ///
    /// - Parameters:
    ///   - parameters: their `deadlineMilliseconds` is set to `timeout`.
    ///   - timeout: after it `cancel` is sent, and some seconds later the process group is ended.
    ///   - isRepeatable: whether the same event may be sent again on a new process when the outcome is not known, as
    ///     for post events, which are idempotent.
    ///   - cancellation: ends this call; nil for that with which the plugin was opened. A post event that has to be
    ///     delivered although the run was cancelled is given one of its own.
    /// - Throws: ``PluginHostError``; `remote` with ``RPCErrorCode/hookFailed`` when the hook reports a failure.
    package func run(
        _ parameters: HookRunParameters, timeout: Duration, isRepeatable: Bool = false,
        cancellation: Cancellation? = nil
    ) throws -> HookRunResult {
        var parameters = parameters
        parameters.deadlineMilliseconds = Milliseconds.count(timeout)
        let label = "\(PluginMethod.hookRun) \(parameters.event)"
        let cancellation = cancellation ?? session.opening.cancellation
        let options = CallOptions(label: label, hard: timeout, idle: nil, cancellation: cancellation)
        return try session.perform(
            label, isRepeatable: isRepeatable, cancellation: cancellation
        ) { [parameters] instance in
            try instance.call(HookRun.self, parameters, options)
        }
    }

    /// Has the plugin try what it needs; one that has no such check passes.
    ///
    /// - Throws: ``PluginHostError``.
    package func check() throws { try session.check() }

    /// Ends the plugin in order: it gets end-of-file and releases what it holds.
    package func close() { session.close() }
}

/// Durations on the wire.
enum Milliseconds {
    /// At least 1, at most 2^53 − 1.
    static func count(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return 9_007_199_254_740_991 }
        return min(max(1, whole + attoseconds / 1_000_000_000_000_000), 9_007_199_254_740_991)
    }
}
