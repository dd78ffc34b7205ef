/// How a process is brought to its end, one step after the other: the decisions alone.
package struct StopLadder {
    /// Time that also passes while the machine sleeps.
    package typealias Instant = ContinuousClock.Instant

    /// What is done to the process; each step implies those before it.
    package enum Step: Int, Comparable, CaseIterable, Sendable {
        /// End-of-file on standard input.
        case closeInput
        /// SIGTERM to the group.
        case terminate
        /// SIGKILL to the group.
        case kill
        /// Nothing: the kernel does not let it go, and it is not waited for any longer.
        case giveUp

        /// In the order in which they are taken.
        package static func < (left: Step, right: Step) -> Bool { left.rawValue < right.rawValue }
    }

    private let afterEndOfFile, afterTerminate, afterKill: Duration
    private var due: [Step: Instant] = [:]
    /// The last step that was taken.
    package private(set) var taken: Step?

    /// Takes the times between the steps.
    package init(_ deadlines: PluginDeadlines) {
        afterEndOfFile = deadlines.exitAfterEndOfFile
        afterTerminate = deadlines.exitAfterTerminate
        afterKill = deadlines.exitAfterKill
    }

    /// Asks for a step at a time; an earlier time that was asked for before stays.
    package mutating func order(_ step: Step, at instant: Instant) {
        if let taken, taken >= step { return }
        due[step] = min(due[step] ?? instant, instant)
    }

    /// When ``advance(now:)`` has something to do next; nil when nothing was ordered.
    package var nextDue: Instant? { due.values.min() }

    /// The steps to take now, in order.
    package mutating func advance(now: Instant) -> [Step] {
        var steps: [Step] = []
        while let highest = due.filter({ $0.value <= now }).keys.max() {
            for step in Step.allCases where step <= highest && taken.map({ step > $0 }) ?? true {
                steps.append(step)
                taken = step
            }
            due = due.filter { $0.key > highest }
            switch highest {
            case .closeInput: order(.terminate, at: now + afterEndOfFile)
            case .terminate: order(.kill, at: now + afterTerminate)
            case .kill: order(.giveUp, at: now + afterKill)
            case .giveUp: break
            }
        }
        return steps
    }
}
