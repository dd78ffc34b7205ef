import Glibc

/// A first-in-first-out queue between threads with a bound: a producer waits while it is full, a consumer while it is
/// empty.
///
/// The bound counts cost, not elements, so that a queue of buffers can be bounded in bytes. One element is always
/// admitted into an empty queue, whatever it costs. A push wakes one consumer and a pop one producer: in a pipeline of
/// small elements, waking everybody costs more than the work.
package final class BoundedQueue<Element: Sendable>: @unchecked Sendable {
    // Safe because everything below is only touched between lock and unlock of `mutex`.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let notEmpty = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let notFull = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var elements: [(element: Element, cost: Int)?] = []
    private var head = 0
    private var cost = 0
    private var isFinished = false
    private var isAborted = false
    private let bound: Int

    /// - Parameter bound: the sum of costs at which producers wait.
    package init(bound: Int) {
        self.bound = bound
        mutex.initialize(to: pthread_mutex_t())
        notEmpty.initialize(to: pthread_cond_t())
        notFull.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(notEmpty, nil)
        pthread_cond_init(notFull, nil)
    }

    deinit {
        pthread_cond_destroy(notEmpty)
        pthread_cond_destroy(notFull)
        pthread_mutex_destroy(mutex)
        notEmpty.deallocate()
        notFull.deallocate()
        mutex.deallocate()
    }

    private var isEmpty: Bool { head == elements.count }

    /// Appends an element; waits while the queue is full.
    ///
    /// - Returns: false when the queue was finished or aborted, in which case the element was not taken.
    @discardableResult
    package func push(_ element: Element, cost: Int = 1) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !isFinished, !isAborted, !isEmpty, self.cost + cost > bound { pthread_cond_wait(notFull, mutex) }
        if isFinished || isAborted { return false }
        elements.append((element, cost))
        self.cost += cost
        pthread_cond_signal(notEmpty)
        // A large element that was waited for may leave room for a small one.
        if self.cost < bound { pthread_cond_signal(notFull) }
        return true
    }

    /// Takes the first element; waits while the queue is empty and not finished.
    ///
    /// - Returns: nil when the queue is finished and empty, or aborted.
    package func pop() -> Element? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !isAborted, !isFinished, isEmpty { pthread_cond_wait(notEmpty, mutex) }
        guard !isAborted, !isEmpty, let first = elements[head] else { return nil }
        elements[head] = nil
        head += 1
        cost -= first.cost
        if head > 64, head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        pthread_cond_signal(notFull)
        return first.element
    }

    /// Says that nothing more will be pushed; consumers get what is left.
    package func finish() { end { isFinished = true } }

    /// Drops what is queued and wakes everybody; for failures and cancellation.
    package func abort() {
        end {
            isAborted = true
            elements = []
            head = 0
            cost = 0
        }
    }

    private func end(_ change: () -> Void) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        change()
        pthread_cond_broadcast(notEmpty)
        pthread_cond_broadcast(notFull)
    }
}
