package import JSON
package import PluginProtocol
package import SnapshotModel
import Threads

/// Holds applications still through their hooks, and never forgets to let them go: performs what a ``LeaseLedger`` says
/// over a journal and a ``LeaseHookCaller``.
///
/// May be used from any thread; a timer may release while another thread captures.
package final class FreezeLeases: Sendable {
    /// What a pre hook is asked for.
    package struct Request: Sendable {
        /// The application to hold.
        package var application: ApplicationName
        /// Backup or restore.
        package var pair: Lease.Pair
        /// The hook plugin.
        package var plugin: Lease.Plugin
        /// What the plugin is opened with, secrets as references.
        package var config: JSONObject
        /// The `context` of pre and post.
        package var context: JSONObject
        /// How long each event may take.
        package var timeout: Duration

        /// A request for one hook of one application.
        package init(
            application: ApplicationName, pair: Lease.Pair = .backup, plugin: Lease.Plugin, config: JSONObject,
            context: JSONObject, timeout: Duration
        ) {
            self.application = application
            self.pair = pair
            self.plugin = plugin
            self.config = config
            self.context = context
            self.timeout = timeout
        }
    }

    struct State {
        var ledger: LeaseLedger
        /// Leases whose pre is being called; that call ends what it began.
        var callingPre: Set<Int64> = []
        /// What is or was released, and how; it is not held again.
        var closed: [Closed: HookOutcome] = [:]
        var isReleasing = false
        var isMarkedHeld: Bool
    }

    /// An application, or all of them, and the events for which it is closed.
    struct Closed: Hashable {
        let application: ApplicationName?
        let pair: Lease.Pair
    }

    let journal: RunJournal
    let caller: any LeaseHookCaller
    let policy: ReleasePolicy
    let state: Condition<State>

    /// The leases of a new run.
    package init(journal: RunJournal, caller: any LeaseHookCaller, policy: ReleasePolicy = .running) {
        self.journal = journal
        self.caller = caller
        self.policy = policy
        state = Condition(State(ledger: LeaseLedger(), isMarkedHeld: false))
    }

    /// The leases of a run whose process is gone, by what its journal says.
    init(resuming ledger: LeaseLedger, journal: RunJournal, caller: any LeaseHookCaller, policy: ReleasePolicy) {
        self.journal = journal
        self.caller = caller
        self.policy = policy
        state = Condition(State(ledger: ledger, isMarkedHeld: true))
    }

    /// The leases that are out, the one to be released first at the front.
    package var outstanding: [Lease] { state.withLockQuietly { $0.ledger.outstanding.map(\.lease) } }

    /// Records the lease durably, sends the pre, and records its answer durably.
    ///
    /// An answer of `skip` or `abort` is an answer: the lease is out, and what to do is the caller's decision.
    ///
    /// - Returns: the lease and the plugin's answer.
    /// - Throws: ``LeaseError``. After `failed`, and after `notRecorded` of an answer, the lease is out; release it.
    package func acquire(_ request: Request) throws -> (lease: Lease, answer: HookRunResult) {
        let lease = try intend(request)
        do {
            try markHeld()
            try journal.append(.leaseIntended(lease), durable: true)
        } catch {
            try withdraw(lease, "\(error)")
            throw LeaseError.notRecorded(lease, cause: error)
        }
        let parameters = HookRunParameters(
            event: lease.pair.pre, run: lease.pairing, deadlineMilliseconds: lease.preTimeout.wholeMilliseconds,
            context: lease.context)
        let answer: HookRunResult
        do {
            try state.withLock { _ = try $0.ledger.sent(lease.id) }
            answer = try caller.call(lease, parameters, timeout: lease.preTimeout)
        } catch let error as HookNotSent {
            try withdraw(lease, "\(error)")
            throw LeaseError.notSent(lease, cause: error.cause)
        } catch {
            let actions = try state.withLock { try $0.ledger.preFailed(lease.id, message: "\(error)") }
            // The lease is out with or without this line; the failure of the hook is the one to report.
            try? record(actions)
            preEnded(lease)
            throw LeaseError.failed(lease, cause: error)
        }
        let actions = try state.withLock {
            try $0.ledger.preAcknowledged(
                lease.id, action: answer.action.rawValue, reason: answer.reason, state: answer.state)
        }
        do { try record(actions) } catch {
            preEnded(lease)
            throw LeaseError.notRecorded(lease, cause: error)
        }
        if preEnded(lease) { throw LeaseError.releasing(lease) }
        return (lease, answer)
    }

    private func intend(_ request: Request) throws -> Lease {
        try state.withLock { state in
            let lease = Lease(
                id: state.ledger.nextID, run: journal.run, application: request.application, pair: request.pair,
                plugin: request.plugin, config: request.config, context: request.context, preTimeout: request.timeout,
                postTimeout: request.timeout)
            if Self.closing(lease, in: state) != nil { throw LeaseError.releasing(lease) }
            _ = try state.ledger.intend(lease)
            state.callingPre.insert(lease.id)
            return lease
        }
    }

    private func withdraw(_ lease: Lease, _ message: String) throws {
        let actions = try state.withLock { state -> [LeaseLedger.Action] in
            state.callingPre.remove(lease.id)
            return try state.ledger.preNotSent(lease.id, message: message)
        }
        // Without this line the next start sends a post that nobody needs, which every hook must accept.
        try? record(actions)
        clearHeldIfNothingIsOut()
    }

    /// The pre is no longer being called. When somebody wanted the application released meanwhile, it is released here,
    /// because only now the plugin can take the post.
    ///
    /// - Returns: true when it was.
    @discardableResult
    private func preEnded(_ lease: Lease) -> Bool {
        let outcome = state.withLock { state -> HookOutcome? in
            state.callingPre.remove(lease.id)
            return Self.closing(lease, in: state)
        }
        guard let outcome else { return false }
        release([lease.application], pairs: [lease.pair], outcome: outcome)
        return true
    }

    private static func closing(_ lease: Lease, in state: State) -> HookOutcome? {
        state.closed[Closed(application: lease.application, pair: lease.pair)]
            ?? state.closed[Closed(application: nil, pair: lease.pair)]
    }

    func record(_ actions: [LeaseLedger.Action]) throws {
        for case .record(let event, let isDurable) in actions { try journal.append(event, durable: isDurable) }
    }

    private func markHeld() throws {
        let isMarked = state.withLockQuietly { $0.isMarkedHeld }
        if !isMarked { try journal.markHeld() }
        state.withLock { $0.isMarkedHeld = true }
    }

    func clearHeldIfNothingIsOut() {
        state.withLock { state in
            guard state.isMarkedHeld, state.ledger.outstanding.isEmpty else { return }
            // A mark that stays makes the next start look once more, and nothing else.
            try? journal.clearHeld()
            state.isMarkedHeld = false
        }
    }
}
