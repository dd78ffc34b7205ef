/// When a plugin that died is started again, and when no more: the decisions alone. Source: protocol, host rules, 15.
struct RestartPolicy {
    typealias Instant = ContinuousClock.Instant

    private let delays: [Duration]
    private let breakerDeaths: Int
    private let breakerWindow: Duration
    private var deaths: [Instant] = []
    private var inARow = 0
    /// Before this time no process is started.
    private(set) var notBefore: Instant?

    init(_ deadlines: PluginDeadlines) {
        delays = deadlines.restartDelays
        breakerDeaths = deadlines.breakerDeaths
        breakerWindow = deadlines.breakerWindow
    }

    /// A process died, or had to be stopped.
    ///
    /// - Parameter factor: 0.8...1.2, so that many hosts do not come back at the same moment.
    mutating func recordDeath(now: Instant, factor: Double) {
        deaths = deaths.filter { now - $0 < breakerWindow } + [now]
        if let delay = delays.isEmpty ? nil : delays[min(inARow, delays.count - 1)] { notBefore = now + delay * factor }
        inARow += 1
    }

    /// A call succeeded: the next death is the first one again.
    mutating func recordSuccess() {
        inARow = 0
        notBefore = nil
    }

    /// Whether so many died lately that no process is started any more.
    func isOpen(now: Instant) -> Bool { deaths.count(where: { now - $0 < breakerWindow }) >= breakerDeaths }
}
