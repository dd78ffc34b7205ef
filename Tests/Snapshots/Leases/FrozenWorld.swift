import Pipelines
import PluginProtocol
import Synchronization
import Threads

/// Applications that can be held, and the hooks that hold them; remembers what is held whoever dies.
final class FrozenWorld: LeaseHookCaller {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    struct Call: Sendable {
        let lease: Lease
        let parameters: HookRunParameters
        let timeout: Duration
        var text: String { "\(parameters.event) \(lease.application)/\(lease.plugin.name)" }
    }

    private struct State {
        var frozen: Set<String> = []
        var calls: [Call] = []
        var failures: [String: [any Error]] = [:]
        var answers: [String: HookRunResult] = [:]
    }

    private let state = Mutex(State())
    private let log: (@Sendable (String) -> Void)?
    private let gate: (@Sendable (Call) throws -> Void)?

    /// - Parameters:
    ///   - log: told of each call, before it has an effect.
    ///   - gate: may block or throw, before a call has an effect.
    init(log: (@Sendable (String) -> Void)? = nil, gate: (@Sendable (Call) throws -> Void)? = nil) {
        self.log = log
        self.gate = gate
    }

    /// The pairings that are held.
    var frozen: Set<String> { state.withLock(\.frozen) }
    var calls: [Call] { state.withLock(\.calls) }
    var texts: [String] { calls.map(\.text) }

    /// Lets the next calls of an event of an application's hook fail, after they had their effect.
    func fail(_ call: String, _ errors: any Error...) { state.withLock { $0.failures[call, default: []] += errors } }

    func answer(_ call: String, _ result: HookRunResult) { state.withLock { $0.answers[call] = result } }

    func call(_ lease: Lease, _ parameters: HookRunParameters, timeout: Duration) throws -> HookRunResult {
        let call = Call(lease: lease, parameters: parameters, timeout: timeout)
        log?(call.text)
        try gate?(call)
        return try state.withLock { state in
            state.calls.append(call)
            let failure = state.failures[call.text]?.first
            if failure != nil { state.failures[call.text]?.removeFirst() }
            if let failure = failure as? HookNotSent { throw failure }
            if parameters.event == lease.pair.pre {
                state.frozen.insert(parameters.run)
            } else if failure == nil {
                state.frozen.remove(parameters.run)
            }
            if let failure { throw failure }
            return state.answers[call.text] ?? HookRunResult()
        }
    }
}
