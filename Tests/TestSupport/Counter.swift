import Synchronization

/// A number that many threads count up.
package final class Counter: Sendable {
    private let count = Mutex(0)

    package init() {}

    /// One more.
    package func add() { count.withLock { $0 += 1 } }

    /// The number so far.
    package var value: Int { count.withLock { $0 } }
}
