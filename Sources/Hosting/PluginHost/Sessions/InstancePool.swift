import PluginProtocol
import Threads

/// The processes of one opened plugin: who may use which, when a new one is started, and who cleans up.
///
/// Callers wait while all processes are busy and no more may be started. A process that died or has to go keeps its
/// place among the `max_instances` until it is gone, so that never more processes than that work on one store.
final class InstancePool: Sendable {
    private struct Entry {
        let instance: PluginInstance
        var users: Int
        /// Gets no new users and is removed by the last one.
        var isRetired = false
        var isBeingRemoved = false
    }

    private struct State {
        var entries: [Entry] = []
        var starting = 0
        var isClosed = false
        var hasOpened = false
        var maximumUsers = 1
        var maximumEntries = 1
        var restart: RestartPolicy
        var lastFailure: PluginHostError?
        /// A process died and no other was started since.
        var hasDied = false
    }

    private enum Turn {
        case use(PluginInstance)
        case remove(PluginInstance)
        case start
        case pause(Duration)
        case fail(PluginHostError)
    }

    private let subject: PluginSubject
    private let state: Condition<State>

    init(subject: PluginSubject, deadlines: PluginDeadlines) {
        self.subject = subject
        state = Condition(State(restart: RestartPolicy(deadlines)))
    }

    /// Whether a process was ever opened.
    var hasOpened: Bool { state.withLockQuietly { $0.hasOpened } }

    /// What the plugin takes at once.
    func allow(_ limits: PluginLimits) {
        state.withLock { state in
            state.maximumUsers = max(1, limits.maxInflight)
            state.maximumEntries = max(1, limits.maxInstances)
        }
    }

    /// A process with room for one more request; waits for one, or starts one with `start`.
    ///
    /// - Throws: ``PluginHostError`` `cancelled`, `closed`, `breakerOpen`, and what `start` throws.
    func take(_ cancellation: Cancellation, start: () throws -> PluginInstance) throws -> PluginInstance {
        let token = cancellation.onCancel { [state] in state.withLock { _ in } }
        defer { cancellation.remove(token) }
        while true {
            let turn = state.wait { next(&$0, cancellation) }
            switch turn {
            case .use(let instance): return instance
            case .remove(let instance): remove(instance)
            case .start: return try started(start)
            case .pause(let duration):
                // Ended early by the cancellation, which the next turn sees.
                try? Pause.wait(duration, cancellation)
            case .fail(let error): throw error
            case nil: break
            }
        }
    }

    /// Ends the use of a process; the last user of one that is spent removes it.
    func give(back instance: PluginInstance) {
        let isLast = state.withLock { state in
            guard let index = state.entries.firstIndex(where: { $0.instance === instance }) else { return false }
            state.entries[index].users -= 1
            retireSpent(&state)
            return claimRemoval(&state, index)
        }
        if isLast { remove(instance) }
    }

    /// A call was answered as it should: deaths before it do not count as a row any more.
    func noteSuccess() {
        state.withLockQuietly { state in
            state.restart.recordSuccess()
            state.lastFailure = nil
        }
    }

    /// Kept as the cause when no process is started any more.
    func noteFailure(_ error: PluginHostError) {
        guard [.died, .timeout, .protocolViolation].contains(error.code) else { return }
        state.withLockQuietly { $0.lastFailure = error }
    }

    /// Why the last process died, once; nil when none died.
    func takeDeathReason() -> String? {
        state.withLockQuietly { state in
            defer { state.hasDied = false }
            return state.hasDied ? state.lastFailure?.message ?? "it ended without being asked to" : nil
        }
    }

    /// All processes get no new requests and end when those they have are answered.
    func retireAll() {
        let idle = state.withLock { state in
            for index in state.entries.indices { state.entries[index].isRetired = true }
            return state.entries.indices.filter { claimRemoval(&state, $0) }.map { state.entries[$0].instance }
        }
        for instance in idle { remove(instance) }
    }

    /// Ends all processes, whatever they do; callers that wait are failed. Returns when all are gone.
    func close() {
        let instances = state.withLock { state in
            state.isClosed = true
            return state.entries.map(\.instance)
        }
        // All get their end-of-file first, so that slow ones end at the same time.
        for instance in instances { instance.process.beginClosing() }
        for instance in instances { instance.close() }
        _ = state.wait(timeout: .seconds(60)) { $0.starting == 0 ? () : nil }
        let late = state.withLock { state in
            defer { state.entries = [] }
            return state.entries.map(\.instance)
        }
        for instance in late { instance.close() }
    }

    private func next(_ state: inout State, _ cancellation: Cancellation) -> Turn? {
        if state.isClosed {
            return .fail(PluginHostError(.closed, "\(subject.title) was closed", subject: subject))
        }
        if cancellation.isCancelled { return .fail(PluginHostError.cancelled(subject, request: "the request")) }
        retireSpent(&state)
        for index in state.entries.indices where claimRemoval(&state, index) {
            return .remove(state.entries[index].instance)
        }
        let usable = state.entries.indices.filter {
            !state.entries[$0].isRetired && state.entries[$0].users < state.maximumUsers
        }
        if let best = usable.min(by: { state.entries[$0].users < state.entries[$1].users }) {
            state.entries[best].users += 1
            return .use(state.entries[best].instance)
        }
        guard state.entries.count + state.starting < state.maximumEntries else { return nil }
        let now = ContinuousClock.now
        if state.restart.isOpen(now: now) { return .fail(breakerOpen(state.lastFailure)) }
        if let notBefore = state.restart.notBefore, notBefore > now { return .pause(notBefore - now) }
        state.starting += 1
        return .start
    }

    private func started(_ start: () throws -> PluginInstance) throws -> PluginInstance {
        do {
            let instance = try start()
            state.withLock { state in
                state.starting -= 1
                state.hasOpened = true
                state.entries.append(Entry(instance: instance, users: 1))
            }
            return instance
        } catch {
            state.withLock { state in
                state.starting -= 1
                if let error = error as? PluginHostError,
                    [.died, .timeout, .protocolViolation].contains(error.code)
                {
                    state.restart.recordDeath(now: .now, factor: HostContext.jitter())
                }
            }
            throw error
        }
    }

    private func retireSpent(_ state: inout State) {
        for index in state.entries.indices
        where !state.entries[index].isRetired && state.entries[index].instance.isSpent {
            state.entries[index].isRetired = true
            guard !state.isClosed else { continue }
            state.hasDied = true
            state.restart.recordDeath(now: .now, factor: HostContext.jitter())
        }
    }

    /// Whether the caller is the one who has to remove this entry.
    private func claimRemoval(_ state: inout State, _ index: Int) -> Bool {
        let entry = state.entries[index]
        guard entry.isRetired, entry.users == 0, !entry.isBeingRemoved else { return false }
        state.entries[index].isBeingRemoved = true
        return true
    }

    private func remove(_ instance: PluginInstance) {
        if instance.isSpent { instance.dispose() } else { instance.close() }
        state.withLock { state in state.entries.removeAll { $0.instance === instance } }
    }

    private func breakerOpen(_ cause: PluginHostError?) -> PluginHostError {
        var error = PluginHostError(
            .breakerOpen, "\(subject.title) died too often in a short time and is not started again", subject: subject,
            cause: cause.map { PluginHostError($0.code, $0.message) })
        error.exitStatus = cause?.exitStatus
        error.signal = cause?.signal
        error.lastStandardError = cause?.lastStandardError ?? []
        return error
    }
}
