import PluginKit

/// Which pre events were begun and not released yet; pure.
///
/// A hold begins before the command of a pre event is started, because a command that is killed half-way may have
/// frozen something, and ends when the command of its post event has succeeded.
struct HoldLedger: Sendable {
    /// One application that may be held still.
    struct Hold: Sendable, Equatable {
        /// The parameters of pre, for those of the post that is run here.
        let parameters: HookRunParameters
        /// What pre returned.
        var state: String?
        /// When it is released here, should the host not do it; nil for never.
        var deadline: ContinuousClock.Instant?
        /// Whether pre was answered; before that its own timeout applies.
        var isAnswered = false
    }

    /// In the order in which they began.
    private(set) var holds: [Hold] = []

    private func index(of run: String, _ pre: HookEvent) -> Int? {
        holds.firstIndex { $0.parameters.run == run && $0.parameters.event == pre }
    }

    /// A pre event begins; a second attempt of the same run takes the place of the first.
    mutating func begin(_ parameters: HookRunParameters) {
        if let index = index(of: parameters.run, parameters.event) { holds.remove(at: index) }
        holds.append(Hold(parameters: parameters))
    }

    /// A pre event was answered at `now`: from now on `max_hold_ms` of its context counts.
    mutating func answer(_ parameters: HookRunParameters, state: String?, now: ContinuousClock.Instant) {
        guard let index = index(of: parameters.run, parameters.event) else { return }
        holds[index].isAnswered = true
        holds[index].state = state
        guard let limit = parameters.context["max_hold_ms"]?.integerValue, limit >= 0, limit < 1 << 40 else { return }
        // The host releases at the limit itself; this is for a host that does not get to it.
        holds[index].deadline = now + .milliseconds(limit) + .seconds(1)
    }

    /// The post event of a run has succeeded.
    mutating func release(_ post: HookEvent, run: String) {
        guard let pre = post.counterpart, let index = index(of: run, pre) else { return }
        holds.remove(at: index)
    }

    /// The time of a hold is up and its release was begun: it is not begun by the clock again.
    mutating func expire(now: ContinuousClock.Instant) -> [Hold] {
        var expired: [Hold] = []
        for index in holds.indices.reversed() {
            guard let deadline = holds[index].deadline, deadline <= now else { continue }
            holds[index].deadline = nil
            expired.append(holds[index])
        }
        return expired
    }

    /// When the next hold expires; nil for never.
    var nextDeadline: ContinuousClock.Instant? { holds.compactMap(\.deadline).min() }
}

extension HoldLedger.Hold {
    /// The parameters of the post event, should nobody send it.
    var release: HookRunParameters? {
        guard let post = parameters.event.release else { return nil }
        return HookRunParameters(
            event: post, run: parameters.run, deadlineMilliseconds: parameters.deadlineMilliseconds, outcome: .unknown,
            state: state, context: parameters.context)
    }
}
