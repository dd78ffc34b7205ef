import RepositoryFormat
import Synchronization
import Threads

/// Holds back whatever changes a repository until its locks are certain, and for good once one of them is lost.
///
/// Without a lock it stands open: making a repository and adding a key need none.
final class WriteGate: Sendable {
    /// How far a lock is.
    enum Phase: Sendable {
        /// It was written, and whoever wrote one at the same moment may not have been seen yet.
        case settling
        /// It holds until the clock shows `until`, in seconds after the epoch, unless it is refreshed before.
        case standing(until: Int64)
        /// It was refused or lost: nothing may be read or written under it any more.
        case refused(any Error)
    }

    private struct Hold {
        var phase: Phase
        let clock: @Sendable () -> Timestamp
    }

    private let holds = Condition<[Int: Hold]>([:])
    private let refusals = Atomic<Int>(0)
    private let nextToken = Atomic<Int>(0)

    /// Takes note of a lock.
    ///
    /// - Parameter clock: of the wall, because others judge the lock's age by theirs, also after a suspend.
    /// - Returns: a token for the other calls.
    func add(_ phase: Phase, clock: @escaping @Sendable () -> Timestamp) -> Int {
        let token = nextToken.wrappingAdd(1, ordering: .relaxed).newValue
        holds.withLock { $0[token] = Hold(phase: phase, clock: clock) }
        return token
    }

    /// Changes the phase of a lock; a refused one stays refused.
    func set(_ token: Int, _ phase: Phase) {
        holds.withLock { holds in
            guard let hold = holds[token] else { return }
            if case .refused = hold.phase { return }
            holds[token]?.phase = phase
            if case .refused = phase { refusals.wrappingAdd(1, ordering: .releasing) }
        }
    }

    /// Forgets a lock that was released.
    func remove(_ token: Int) {
        holds.withLock { holds in
            if case .refused? = holds.removeValue(forKey: token)?.phase {
                refusals.wrappingSubtract(1, ordering: .releasing)
            }
        }
    }

    /// True while a lock may still turn out to be refused.
    var isSettling: Bool {
        holds.withLockQuietly { holds in
            holds.values.contains { if case .settling = $0.phase { true } else { false } }
        }
    }

    /// - Throws: why a lock was refused or lost.
    func check() throws {
        guard refusals.load(ordering: .acquiring) > 0 else { return }
        for hold in holds.withLockQuietly({ Array($0.values) }) {
            if case .refused(let error) = hold.phase { throw error }
        }
    }

    /// Waits until every lock stands; at once when there is none.
    ///
    /// - Throws: why a lock was refused or lost.
    func pass() throws {
        try holds.wait { holds -> Void? in
            for hold in holds.values {
                switch hold.phase {
                case .refused(let error): throw error
                case .settling: return nil
                // Whoever refreshes it looks at the same clock and wakes us, with a younger lock or without.
                case .standing(let until): if hold.clock().seconds > until { return nil }
                }
            }
            return ()
        }
    }
}
