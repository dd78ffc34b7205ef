/// The calls that wait for their response; a pure state machine, to be kept behind a lock.
///
/// Every waiter that is registered comes out exactly once: by ``receive(_:)``, ``abandon(_:)`` or ``close()``.
/// Invariant: `registered = received + abandoned + closed + count`.
package struct PendingRequests<Waiter> {
    /// What to do with a response.
    package enum Arrival {
        /// Hand it to this waiter, who is no longer registered.
        case deliver(Waiter)
        /// Its waiter gave up earlier: drop it. The request is now truly over.
        case late
        /// Nobody ever asked, or it was answered before: the peer broke the protocol.
        case unknown
    }

    private var waiters: [RequestID: Waiter] = [:]
    private var abandoned: Set<RequestID> = []
    /// True after ``close()``.
    package private(set) var isClosed = false

    package init() {}

    /// The number of calls that wait.
    package var count: Int { waiters.count }
    /// The number of requests the peer still works on: those that wait and those that were given up.
    package var outstandingCount: Int { waiters.count + abandoned.count }

    /// Adds a call before its line is written.
    ///
    /// - Returns: false when the table is closed; the waiter was not taken and must be failed by the caller.
    /// - Throws: ``FramingError`` `duplicateID`.
    package mutating func register(_ id: RequestID, _ waiter: Waiter) throws -> Bool {
        guard !isClosed else { return false }
        guard waiters[id] == nil, !abandoned.contains(id) else { throw FramingError.duplicateID(id) }
        waiters[id] = waiter
        return true
    }

    /// The waiter of an open call, for progress; it stays registered.
    package func waiter(for id: RequestID) -> Waiter? { waiters[id] }

    /// Takes in the id of a response.
    package mutating func receive(_ id: RequestID) -> Arrival {
        if let waiter = waiters.removeValue(forKey: id) { return .deliver(waiter) }
        if abandoned.remove(id) != nil { return .late }
        // After close the peer may still write what it had begun.
        return isClosed ? .late : .unknown
    }

    /// The caller gives up (deadline, cancellation): a response that comes later is dropped.
    ///
    /// - Returns: the waiter to fail, or nil when the response came first.
    package mutating func abandon(_ id: RequestID) -> Waiter? {
        guard let waiter = waiters.removeValue(forKey: id) else { return nil }
        abandoned.insert(id)
        return waiter
    }

    /// The peer is gone: nothing can be registered any more.
    ///
    /// - Returns: all waiters, to be failed. Empty on a second call.
    package mutating func close() -> [Waiter] {
        isClosed = true
        defer {
            waiters = [:]
            abandoned = []
        }
        return Array(waiters.values)
    }
}

extension PendingRequests: Sendable where Waiter: Sendable {}
extension PendingRequests.Arrival: Sendable where Waiter: Sendable {}
