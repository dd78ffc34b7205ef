import Synchronization

/// A request to stop that many threads watch.
///
/// Cancelling is one-way and happens once; the first reason wins. Work that blocks in a system call registers an
/// ``onCancel(_:)`` action that unblocks it.
package final class Cancellation: Sendable {
    /// Why the work was asked to stop.
    package enum Reason: Sendable, Equatable {
        /// A signal, by number (2 for Ctrl-C, 15 for a polite kill).
        case signal(Int32)
        /// Another part of the same work failed, so that going on makes no sense.
        case failure
        /// A person or a program asked for it.
        case requested
    }

    private struct State {
        var reason: Reason?
        var nextToken = 0
        var actions: [Int: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())
    private let flag = Atomic<Bool>(false)

    package init() {}

    /// True from the first ``cancel(_:)`` on; cheap enough for inner loops.
    package var isCancelled: Bool { flag.load(ordering: .acquiring) }

    /// The reason of the first ``cancel(_:)``; nil while work may go on.
    package var reason: Reason? { state.withLock { $0.reason } }

    /// Asks the work to stop and runs the registered actions on the calling thread, once.
    package func cancel(_ reason: Reason) {
        let actions = state.withLock { state -> [@Sendable () -> Void] in
            guard state.reason == nil else { return [] }
            state.reason = reason
            defer { state.actions = [:] }
            return Array(state.actions.values)
        }
        flag.store(true, ordering: .releasing)
        for action in actions { action() }
    }

    /// - Throws: ``CancellationFailure`` once ``isCancelled``.
    package func check() throws {
        if isCancelled { throw CancellationFailure(reason: reason ?? .requested) }
    }

    /// Runs `action` when the work is cancelled, at once when it already is.
    ///
    /// - Returns: a token for ``remove(_:)``; an action that ran or was removed is forgotten.
    @discardableResult
    package func onCancel(_ action: @escaping @Sendable () -> Void) -> Int {
        let token = state.withLock { state -> Int? in
            guard state.reason == nil else { return nil }
            state.nextToken += 1
            state.actions[state.nextToken] = action
            return state.nextToken
        }
        guard let token else {
            action()
            return 0
        }
        return token
    }

    /// Forgets an action that ``onCancel(_:)`` registered.
    package func remove(_ token: Int) {
        state.withLock { $0.actions[token] = nil }
    }
}

/// Thrown by work that stopped because it was asked to.
package struct CancellationFailure: Error, Equatable, CustomStringConvertible {
    /// Why it was asked to stop.
    package let reason: Cancellation.Reason

    package init(reason: Cancellation.Reason) { self.reason = reason }

    package var description: String {
        switch reason {
        case .signal(let number): "stopped by signal \(number)"
        case .failure: "stopped because another part of the work failed"
        case .requested: "cancelled on request"
        }
    }
}
