/// When a plugin that died is started again, and when no more: the decisions alone. Source: protocol, host rules, 15.
package struct RestartPolicy {
    /// Time that also passes while the machine sleeps.
    package typealias Instant = ContinuousClock.Instant

    private let delays: [Duration]
    private let breakerDeaths: Int
    private let breakerWindow: Duration
    private var deaths: [Instant] = []
    private var inARow = 0
    /// Before this time no process is started.
    package private(set) var notBefore: Instant?

    /// Takes the pauses and the limits of the breaker.
    package init(_ deadlines: PluginDeadlines) {
        delays = deadlines.restartDelays
        breakerDeaths = deadlines.breakerDeaths
        breakerWindow = deadlines.breakerWindow
    }

    /// A process died, or had to be stopped.
    ///
    /// - Parameter factor: 0.8...1.2, so that many hosts do not come back at the same moment.
    package mutating func recordDeath(now: Instant, factor: Double) {
        deaths = deaths.filter { now - $0 < breakerWindow } + [now]
        if let delay = delays.isEmpty ? nil : delays[min(inARow, delays.count - 1)] { notBefore = now + delay * factor }
        inARow += 1
    }

    /// A call succeeded: the next death is the first one again.
    package mutating func recordSuccess() {
        inARow = 0
        notBefore = nil
    }

    /// Whether so many died lately that no process is started any more.
    package func isOpen(now: Instant) -> Bool { deaths.count(where: { now - $0 < breakerWindow }) >= breakerDeaths }
}
