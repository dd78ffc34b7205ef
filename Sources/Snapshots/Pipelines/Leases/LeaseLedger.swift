package import PluginProtocol
import SnapshotModel

/// The books of the leases of one run: which are out, and what may happen to each next. Pure; the shell performs the
/// actions in their order.
///
/// Once the actions of ``intend(_:)`` were performed a lease is out until it was released, or it is certain that the
/// plugin never saw its pre.
package struct LeaseLedger: Sendable, Hashable {
    /// Where a lease stands.
    package enum Phase: String, Sendable, Hashable, CaseIterable {
        /// Recorded, not handed over yet.
        case intended
        /// Handed to the plugin, not answered yet.
        case sent
        /// Answered.
        case acknowledged
        /// Failed or not answered in time; it may have held the application all the same.
        case preFailed
        /// The post was handed to the plugin, not answered yet.
        case releasing
        /// The post failed or was not answered in time.
        case releaseFailed
        /// The post was answered. Final.
        case released
        /// The plugin never saw the pre. Final.
        case withdrawn

        /// True while the application may be held.
        package var isOutstanding: Bool { self != .released && self != .withdrawn }
    }

    /// What the shell has to do next.
    package enum Action: Sendable, Hashable {
        /// Append an event to the journal; when durable, the next action waits for the disk.
        case record(RunEvent, isDurable: Bool)
        /// Send the pre event.
        case sendPre(Lease)
        /// Send the post event; `attempt` counts from 1 over all processes that tried.
        case sendPost(Lease, attempt: Int64, outcome: HookOutcome, state: String?)
    }

    /// What one lease has been through.
    package struct Entry: Sendable, Hashable {
        /// The lease.
        package let lease: Lease
        /// Where it stands.
        package fileprivate(set) var phase: Phase
        /// What the pre returned for the post.
        package fileprivate(set) var state: String?
        /// How often the post was sent.
        package fileprivate(set) var attempts: Int64
        /// What was said at the last failure.
        package fileprivate(set) var lastFailure: String?
        fileprivate var outcome: HookOutcome = .unknown
    }

    /// An input that makes no sense where a lease stands: a mistake of the caller.
    package struct Violation: Error, Sendable, Hashable, CustomStringConvertible {
        /// The lease.
        package let lease: Int64
        /// The input.
        package let input: String
        /// Where the lease stands; nil when there is no such lease.
        package let phase: Phase?

        /// For logs.
        package var description: String {
            "'\(input)' makes no sense for lease \(lease), which is \(phase?.rawValue ?? "unknown")"
        }
    }

    /// All leases, in the order of their pres.
    package private(set) var entries: [Entry] = []

    /// Empty books.
    package init() {}

    /// The id of the next lease.
    package var nextID: Int64 { (entries.map(\.lease.id).max() ?? 0) + 1 }

    /// The leases that are out, in the order in which they are released: the last pre first.
    package var outstanding: [Entry] { entries.reversed().filter(\.phase.isOutstanding) }

    // MARK: Inputs

    /// A pre is about to be sent.
    package mutating func intend(_ lease: Lease) throws -> [Action] {
        if let entry = entries.first(where: { $0.lease.id == lease.id }) {
            throw Violation(lease: lease.id, input: "intend", phase: entry.phase)
        }
        entries.append(Entry(lease: lease, phase: .intended, attempts: 0))
        return [.record(.leaseIntended(lease), isDurable: true), .sendPre(lease)]
    }

    /// The pre is being handed over: from now on the plugin may have seen it.
    package mutating func sent(_ id: Int64) throws -> [Action] {
        try change(id, "sent", from: [.intended]) { $0.phase = .sent }
        return []
    }

    /// The pre was answered. Nothing may be captured before the actions were performed.
    package mutating func preAcknowledged(
        _ id: Int64, action: String, reason: String?, state: String?
    ) throws -> [Action] {
        try change(id, "preAcknowledged", from: [.sent]) {
            $0.phase = .acknowledged
            $0.state = state
        }
        let event = RunEvent.leaseAcknowledged(lease: id, action: action, reason: reason, state: state)
        return [.record(event, isDurable: true)]
    }

    /// The pre failed or was not answered.
    package mutating func preFailed(_ id: Int64, message: String) throws -> [Action] {
        try change(id, "preFailed", from: [.sent]) {
            $0.phase = .preFailed
            $0.lastFailure = message
        }
        return [.record(.leasePreFailed(lease: id, message: message), isDurable: false)]
    }

    /// It is certain that the plugin never saw the pre: it could not be recorded, or the plugin could not be started.
    package mutating func preNotSent(_ id: Int64, message: String) throws -> [Action] {
        try change(id, "preNotSent", from: [.intended, .sent]) {
            $0.phase = .withdrawn
            $0.lastFailure = message
        }
        return [.record(.leaseWithdrawn(lease: id, message: message), isDurable: false)]
    }

    /// The post is being sent, for the first time or again.
    package mutating func releaseAttempted(_ id: Int64, outcome: HookOutcome) throws -> [Action] {
        let entry = try change(
            id, "releaseAttempted", from: [.intended, .sent, .acknowledged, .preFailed, .releaseFailed]
        ) {
            $0.phase = .releasing
            $0.attempts += 1
            $0.outcome = outcome
        }
        return [.sendPost(entry.lease, attempt: entry.attempts, outcome: outcome, state: entry.state)]
    }

    /// The post was answered.
    package mutating func released(_ id: Int64) throws -> [Action] {
        let entry = try change(id, "released", from: [.releasing]) {
            $0.phase = .released
            $0.lastFailure = nil
        }
        let event = RunEvent.leaseReleased(lease: id, attempt: entry.attempts, outcome: entry.outcome.rawValue)
        return [.record(event, isDurable: true)]
    }

    /// The post failed or was not answered; the lease stays out.
    package mutating func releaseFailed(_ id: Int64, message: String) throws -> [Action] {
        let entry = try change(id, "releaseFailed", from: [.releasing]) {
            $0.phase = .releaseFailed
            $0.lastFailure = message
        }
        let event = RunEvent.leaseReleaseFailed(lease: id, attempt: entry.attempts, message: message)
        return [.record(event, isDurable: false)]
    }

    @discardableResult
    private mutating func change(
        _ id: Int64, _ input: String, from phases: [Phase], _ body: (inout Entry) -> Void
    ) throws -> Entry {
        guard let index = entries.firstIndex(where: { $0.lease.id == id }) else {
            throw Violation(lease: id, input: input, phase: nil)
        }
        guard phases.contains(entries[index].phase) else {
            throw Violation(lease: id, input: input, phase: entries[index].phase)
        }
        body(&entries[index])
        return entries[index]
    }
}

extension LeaseLedger {
    /// The books as a journal tells them. What was in flight when it ended is out: an intended pre may have been sent, a
    /// post that was sent may not have been answered. Events of leases that were never intended are ignored.
    package init(replaying journal: [JournalEntry]) {
        for entry in journal {
            switch entry.event {
            case .leaseIntended(let lease):
                guard !entries.contains(where: { $0.lease.id == lease.id }) else { continue }
                entries.append(Entry(lease: lease, phase: .intended, attempts: 0))
            case .leaseAcknowledged(let id, _, _, let state):
                replay(id) {
                    $0.phase = .acknowledged
                    $0.state = state
                }
            case .leasePreFailed(let id, let message):
                replay(id) {
                    $0.phase = .preFailed
                    $0.lastFailure = message
                }
            case .leaseWithdrawn(let id, let message):
                replay(id) {
                    $0.phase = .withdrawn
                    $0.lastFailure = message
                }
            case .leaseReleased(let id, let attempt, let outcome):
                replay(id) {
                    $0.phase = .released
                    $0.attempts = attempt
                    $0.outcome = HookOutcome(rawValue: outcome) ?? .unknown
                    $0.lastFailure = nil
                }
            case .leaseReleaseFailed(let id, let attempt, let message):
                replay(id) {
                    $0.phase = .releaseFailed
                    $0.attempts = attempt
                    $0.lastFailure = message
                }
            default: break
            }
        }
    }

    private mutating func replay(_ id: Int64, _ body: (inout Entry) -> Void) {
        guard let index = entries.firstIndex(where: { $0.lease.id == id }), entries[index].phase.isOutstanding else {
            return
        }
        body(&entries[index])
    }
}
