/// When a call is cancelled and when its process is stopped: the decisions alone, without waiting.
///
/// running → (deadline or cancellation) stopping: `cancel` was sent, a response still counts → stopped: the process is
/// being ended, and its end is waited for.
package struct CallClock {
    /// Time that also passes while the machine sleeps.
    package typealias Instant = ContinuousClock.Instant

    /// Why a call was not waited for any longer.
    package enum Reason: Sendable, Equatable {
        /// The caller asked for it.
        case cancelled
        /// Longer than this in all.
        case hardDeadline(Duration)
        /// Longer than this without a sign of life.
        case idleDeadline(Duration)
    }

    /// What the caller does next.
    package enum Step: Sendable, Equatable {
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
    package private(set) var reason: Reason?

    /// - Parameters:
    ///   - idle: nil when only the hard deadline counts.
    ///   - grace: from `cancel` until the process is stopped.
    package init(started: Instant, hard: Duration, idle: Duration?, grace: Duration) {
        self.started = started
        self.hard = hard
        self.idle = idle
        self.grace = grace
    }

    /// What the caller does now; asked again after each step and each wait.
    package mutating func next(now: Instant, lastActivity: Instant, isCancelled: Bool) -> Step {
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
