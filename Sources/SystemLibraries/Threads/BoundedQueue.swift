/// A first-in-first-out queue between threads with a bound: a producer waits while it is full, a consumer while it is
/// empty.
///
/// The bound counts cost, not elements, so that a queue of buffers can be bounded in bytes. One element is always
/// admitted into an empty queue, whatever it costs.
package final class BoundedQueue<Element: Sendable>: Sendable {
    private struct State {
        var elements: [(element: Element, cost: Int)?] = []
        var head = 0
        var cost = 0
        var isFinished = false
        var isAborted = false

        var isEmpty: Bool { head == elements.count }

        mutating func popFirst() -> Element? {
            guard head < elements.count, let first = elements[head] else { return nil }
            elements[head] = nil
            head += 1
            cost -= first.cost
            if head > 64, head * 2 > elements.count {
                elements.removeFirst(head)
                head = 0
            }
            return first.element
        }
    }

    private let state = Condition(State())
    private let bound: Int

    /// - Parameter bound: the sum of costs at which producers wait.
    package init(bound: Int) { self.bound = bound }

    /// Appends an element; waits while the queue is full.
    ///
    /// - Returns: false when the queue was finished or aborted, in which case the element was not taken.
    @discardableResult
    package func push(_ element: Element, cost: Int = 1) -> Bool {
        state.wait { state -> Bool? in
            if state.isFinished || state.isAborted { return false }
            guard state.isEmpty || state.cost + cost <= bound else { return nil }
            state.elements.append((element, cost))
            state.cost += cost
            return true
        } ?? false
    }

    /// Takes the first element; waits while the queue is empty and not finished.
    ///
    /// - Returns: nil when the queue is finished and empty, or aborted.
    package func pop() -> Element? {
        state.wait { state -> Element?? in
            if state.isAborted { return .some(nil) }
            if let element = state.popFirst() { return .some(element) }
            return state.isFinished ? .some(nil) : nil
        } ?? nil
    }

    /// Says that nothing more will be pushed; consumers get what is left.
    package func finish() { state.withLock { $0.isFinished = true } }

    /// Drops what is queued and wakes everybody; for failures and cancellation.
    package func abort() {
        state.withLock {
            $0.isAborted = true
            $0.elements = []
            $0.head = 0
            $0.cost = 0
        }
    }
}
