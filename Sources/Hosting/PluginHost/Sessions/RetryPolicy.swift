import JSONRPC

/// Whether a request that failed is sent again: the decisions alone. Source: protocol, Errors and host rules, 16.
package struct RetryPolicy {
    /// What is done about a failure.
    package enum Decision: Equatable {
        /// The caller gets the error.
        case fail
        /// The request ended two processes: it will not get a third.
        case failAsPoison
        /// Again after so long; with `reopen` on a process that was opened with fresh secrets.
        case retry(after: Duration, reopen: Bool = false)
    }

    /// A plugin that asks for a longer pause is not waited for longer, since every call has to end.
    package static let longestPause: Duration = .seconds(300)

    private let attempts: Int
    private let isRepeatable: Bool
    private let delays: [Duration]
    private var deaths = 0
    private var hasReopened = false
    private var hasRetriedIntegrity = false
    /// How many attempts were made so far, the current one included.
    package private(set) var attempt = 1

    /// - Parameter isRepeatable: whether the request may be sent again when its outcome is not known.
    package init(_ deadlines: PluginDeadlines, isRepeatable: Bool) {
        attempts = deadlines.attempts
        delays = deadlines.restartDelays
        self.isRepeatable = isRepeatable
    }

    /// Takes one failure.
    ///
    /// - Parameters:
    ///   - wasSent: whether a process was there to take the request; when not, sending it again is always safe.
    ///   - factor: 0.8...1.2.
    package mutating func decide(_ error: PluginHostError, wasSent: Bool, factor: Double) -> Decision {
        let decision = judge(error, wasSent, factor)
        if case .retry = decision { attempt += 1 }
        return decision
    }

    private mutating func judge(_ error: PluginHostError, _ wasSent: Bool, _ factor: Double) -> Decision {
        switch error.code {
        case .died, .protocolViolation:
            if wasSent { deaths += 1 }
            guard isRepeatable || !wasSent else { return .fail }
            if deaths >= 2 { return error.code == .died ? .failAsPoison : .fail }
            // The pause before the new process is kept by the restart policy.
            return attempt < attempts ? .retry(after: .zero) : .fail
        case .integrity: return retryIntegrity()
        case .remote, .refused: return judge(remote: error, wasSent, factor)
        default: return .fail
        }
    }

    private mutating func judge(remote error: PluginHostError, _ wasSent: Bool, _ factor: Double) -> Decision {
        guard let remote = error.remote, isRepeatable || !wasSent else { return .fail }
        if remote.retryable == false { return .fail }
        switch remote.code.retryRule {
        case .onceAfterReopening:
            guard !hasReopened, attempt < attempts else { return .fail }
            hasReopened = true
            return .retry(after: .zero, reopen: true)
        case .once: return retryIntegrity()
        case .withBackoff: break
        case .never, .hookPolicy: guard remote.retryable == true else { return .fail }
        }
        guard attempt < attempts else { return .fail }
        let delay = delays.isEmpty ? .zero : delays[min(attempt - 1, delays.count - 1)] * factor
        return .retry(after: min(remote.retryAfter ?? delay, Self.longestPause))
    }

    private mutating func retryIntegrity() -> Decision {
        guard isRepeatable, !hasRetriedIntegrity, attempt < attempts else { return .fail }
        hasRetriedIntegrity = true
        return .retry(after: .zero)
    }
}
