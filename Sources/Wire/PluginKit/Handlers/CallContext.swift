import Glibc
import Synchronization

/// One call that is being worked on: who asks, whether it still matters, and where to tell how it goes.
public final class CallContext: Sendable {
    /// Why a call was cancelled.
    public enum CancelReason: Sendable, Hashable {
        /// The host sent `cancel`.
        case requested
        /// The host closed standard input while a hook or source call ran.
        case endOfInput
        /// The process was asked to end.
        case termination
    }

    private struct State {
        var reason: CancelReason?
        var actions: [@Sendable (CancelReason) -> Void] = []
        var lastProgress: ContinuousClock.Instant?
    }

    /// The id of the request.
    public let requestID: String
    private let state = Mutex(State())
    private let notify: @Sendable (RPCNotification) -> Void
    private let notifyOrDrop: @Sendable (RPCNotification) -> Void

    /// - Parameters: notify: waits for the host to read; notifyOrDrop: never waits.
    init(
        requestID: String, notify: @escaping @Sendable (RPCNotification) -> Void,
        notifyOrDrop: @escaping @Sendable (RPCNotification) -> Void
    ) {
        self.requestID = requestID
        self.notify = notify
        self.notifyOrDrop = notifyOrDrop
    }

    /// Why to stop; nil while the call goes on. A cancelled call must still return or throw.
    public var cancelReason: CancelReason? { state.withLock { $0.reason } }
    /// Whether to stop.
    public var isCancelled: Bool { cancelReason != nil }

    /// - Throws: ``PluginFailure`` `cancelled` once ``isCancelled``.
    public func checkCancellation() throws {
        if isCancelled { throw PluginFailure.cancelled() }
    }

    /// Runs `action` on another thread when the call is cancelled, or here and now when it already is. Once.
    public func onCancel(_ action: @escaping @Sendable (CancelReason) -> Void) {
        let reason = state.withLock { state -> CancelReason? in
            if state.reason == nil { state.actions.append(action) }
            return state.reason
        }
        if let reason { action(reason) }
    }

    func cancel(_ reason: CancelReason) {
        let actions = state.withLock { state -> [@Sendable (CancelReason) -> Void] in
            guard state.reason == nil else { return [] }
            state.reason = reason
            defer { state.actions = [] }
            return state.actions
        }
        for action in actions { action(reason) }
    }

    /// After the call was answered, nobody is interested any more.
    func finish() { state.withLock { $0.actions = [] } }

    /// Tells the host how far the call is; more than ten a second are left out, but for the one that completes it.
    ///
    /// - Parameters:
    ///   - done: never decreasing; bytes where there are bytes.
    ///   - total: nil when not known.
    public func progress(done: Int64, total: Int64? = nil, message: String? = nil) {
        let isDue = state.withLock { state in
            let now = ContinuousClock.now
            if let last = state.lastProgress, now - last < .milliseconds(100), done != total { return false }
            state.lastProgress = now
            return true
        }
        guard isDue else { return }
        let parameters = ProgressParameters(request: requestID, done: done, total: total, message: message)
        notify(RPCNotification(method: PluginMethod.progress.name, params: parameters.encoded))
    }

    /// Sends a line to the host's log, as belonging to this call; waits for a host that is slow to read. Control
    /// characters become visible.
    public func log(_ level: PluginLogLevel, _ message: String) {
        let line = PlainText.oneLine(message, maximumByteCount: 8192)
        let parameters = LogParameters(level: level, message: line, request: requestID)
        notify(RPCNotification(method: PluginMethod.log.name, params: parameters.encoded))
    }

    /// Sends a line to the host's log that belongs to no call, also after this one was answered. It is dropped when the
    /// host does not read just now, so that work which must be done whatever the host does never waits here.
    public func notice(_ level: PluginLogLevel, _ message: String) {
        // Each byte may become an escape of six.
        let line = PlainText.oneLine(message, maximumByteCount: 600)
        let parameters = LogParameters(level: level, message: line)
        notifyOrDrop(RPCNotification(method: PluginMethod.log.name, params: parameters.encoded))
    }
}
