import JSON
import JSONRPC
import Threads

/// A call whose line was, or is about to be, written to a process.
final class PendingCall: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// What became of it.
    enum Outcome: Sendable {
        case response(Result<JSONObject, RPCError>)
        case ended(ProcessEnding)
    }

    private struct State {
        var outcome: Outcome?
        var lastActivity: Instant
        var lastProgressEvent: Instant?
    }

    let id: RequestID
    /// Method and object, for messages: `storage.put data/00/…`.
    let label: String
    let started: Instant
    private let state: Condition<State>
    /// Raised with every change, for callers that poll(2) for something else as well.
    private let wake: EventDescriptor?

    init(id: RequestID, label: String, wake: EventDescriptor?) {
        self.id = id
        self.label = label
        self.wake = wake
        started = .now
        state = Condition(State(outcome: nil, lastActivity: started))
    }

    /// What became of it so far.
    var outcome: Outcome? { state.withLockQuietly { $0.outcome } }

    /// The last sign of life of the plugin for this call.
    var lastActivity: Instant { state.withLockQuietly { $0.lastActivity } }

    /// Ends the call; the first outcome counts.
    func resolve(_ outcome: Outcome) {
        state.withLock { if $0.outcome == nil { $0.outcome = outcome } }
        wake?.raise()
    }

    /// Notes a sign of life.
    ///
    /// - Returns: whether a progress event is due: at most 10 a second.
    @discardableResult
    func touch(now: Instant = .now) -> Bool {
        state.withLockQuietly { state in
            state.lastActivity = now
            if let last = state.lastProgressEvent, now - last < .milliseconds(100) { return false }
            state.lastProgressEvent = now
            return true
        }
    }

    /// Lets the caller look around: its cancellation fired.
    func nudge() {
        state.withLock { _ in }
        wake?.raise()
    }

    /// Waits for the outcome, or until `isInterrupted`, at most `timeout`.
    func wait(_ timeout: Duration, isInterrupted: () -> Bool) {
        state.wait(timeout: timeout) { $0.outcome != nil || isInterrupted() ? () : nil }
    }
}
