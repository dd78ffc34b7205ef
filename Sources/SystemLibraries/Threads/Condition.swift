import Glibc

/// A value behind a lock that threads can wait on: a POSIX mutex and condition variable on the monotonic clock.
///
/// Every change through ``withLock(_:)`` wakes all waiters, which then look at their condition again.
package final class Condition<Value>: @unchecked Sendable {
    // Safe because `value` is only touched between lock and unlock of `mutex`.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var value: Value

    /// - Parameter value: what the condition starts with; nobody else may hold it.
    package init(_ value: sending Value) {
        self.value = value
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Changes the value and wakes all waiters.
    package func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        return try body(&value)
    }

    /// Looks at the value, or changes it, without waking anybody.
    package func withLockQuietly<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }

    /// Wakes all waiters.
    package func wakeAll() { pthread_cond_broadcast(condition) }

    /// Waits until `body` returns a value, at the latest for `timeout`.
    ///
    /// `body` runs under the lock, first at once and then after each change. When it changes the value, other waiters
    /// are woken as well.
    ///
    /// - Returns: what `body` returned, or nil when the time was up.
    package func wait<Result>(timeout: Duration? = nil, _ body: (inout Value) throws -> Result?) rethrows -> Result? {
        var deadline = timespec()
        if let timeout {
            clock_gettime(CLOCK_MONOTONIC, &deadline)
            let (seconds, attoseconds) = timeout.components
            // A time that is up is now, and more than a thousand years is never.
            let nanoseconds = deadline.tv_nsec + Int(max(0, attoseconds / 1_000_000_000))
            deadline.tv_sec += Int(min(max(0, seconds), 1 << 35)) + nanoseconds / 1_000_000_000
            deadline.tv_nsec = nanoseconds % 1_000_000_000
        }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = try body(&value) {
                pthread_cond_broadcast(condition)
                return result
            }
            if timeout == nil {
                pthread_cond_wait(condition, mutex)
            } else if pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT {
                let result = try body(&value)
                if result != nil { pthread_cond_broadcast(condition) }
                return result
            }
        }
    }
}
