/// When a call is cancelled and when its process is stopped: the decisions alone, without waiting.
///
/// running → (deadline or cancellation) stopping: `cancel` was sent, a response still counts → stopped: the process is
/// being ended, and its end is waited for.
struct CallClock {
    typealias Instant = ContinuousClock.Instant

    /// Why a call was not waited for any longer.
    enum Reason: Sendable, Equatable {
        case cancelled
        /// Longer than this in all.
        case hardDeadline(Duration)
        /// Longer than this without a sign of life.
        case idleDeadline(Duration)
    }

    /// What the caller does next.
    enum Step: Sendable, Equatable {
        /// Wait for a response, at most this long, then ask again.
        case wait(Duration)
        /// Send the `cancel` notification, then ask again.
        case sendCancel(Reason)
        /// End the process, then ask again.
        case stopProcess(Reason)
    }

    private enum Phase {
        case running
        case stopping(Reason, until: Instant)
        case stopped
    }

    private let started: Instant
    private let hard: Duration
    private let idle: Duration?
    private let grace: Duration
    private var phase = Phase.running

    /// Why the call is being stopped; nil while it is not.
    private(set) var reason: Reason?

    init(started: Instant, hard: Duration, idle: Duration?, grace: Duration) {
        self.started = started
        self.hard = hard
        self.idle = idle
        self.grace = grace
    }

    mutating func next(now: Instant, lastActivity: Instant, isCancelled: Bool) -> Step {
        switch phase {
        case .running:
            if isCancelled { return stop(.cancelled, now) }
            let hardEnd = started + hard
            if now >= hardEnd { return stop(.hardDeadline(hard), now) }
            guard let idle else { return .wait(hardEnd - now) }
            let idleEnd = max(started, lastActivity) + idle
            if now >= idleEnd { return stop(.idleDeadline(idle), now) }
            return .wait(min(hardEnd, idleEnd) - now)
        case .stopping(let reason, let until):
            guard now >= until else { return .wait(until - now) }
            phase = .stopped
            return .stopProcess(reason)
        case .stopped:
            return .wait(.seconds(1))
        }
    }

    private mutating func stop(_ reason: Reason, _ now: Instant) -> Step {
        self.reason = reason
        phase = .stopping(reason, until: now + grace)
        return .sendCancel(reason)
    }
}
