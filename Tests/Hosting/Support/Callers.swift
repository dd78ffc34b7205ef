import Synchronization
import Threads

/// Several threads that call something at the same time.
enum Callers {
    /// Runs `body` on `count` threads, numbered from 0, and gives the results in that order.
    ///
    /// - Throws: the first error, once all threads have ended.
    static func run<Result: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) throws -> Result
    ) throws -> [Result] {
        let slots = (0..<count).map { _ in Slot<Result>() }
        let threads = slots.enumerated().map { number, slot in
            WorkerThread(name: "caller-\(number)") { slot.fill(try body(number)) }
        }
        var failure: (any Error)?
        for thread in threads { do { try thread.join() } catch { failure = failure ?? error } }
        if let failure { throw failure }
        return slots.compactMap(\.value)
    }

    private final class Slot<Value: Sendable>: Sendable {
        private let content = Mutex<Value?>(nil)
        var value: Value? { content.withLock { $0 } }
        func fill(_ value: Value) { content.withLock { $0 = value } }
    }
}
