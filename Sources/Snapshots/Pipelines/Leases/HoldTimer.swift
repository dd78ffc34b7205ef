import Glibc
import Synchronization
import Threads

/// The watchdog of `maxHold`: calls back once when an application has been held for too long.
///
/// A thread of its own waits on the monotonic clock, so that a capture that hangs cannot hold it up. The callback is
/// forgotten once it was called or the clock was stopped, so that it may hold its owner.
package final class HoldTimer: Sendable {
    private enum Phase: Sendable {
        case waiting(@Sendable () -> Void)
        case firing(on: pthread_t)
        case fired, stopped
    }

    private let phase: Condition<Phase>
    private let thread: WorkerThread
    private let isJoined = Atomic<Bool>(false)

    /// Starts the clock.
    ///
    /// - Parameters:
    ///   - limit: how long the application may be held from now on.
    ///   - onExpiry: called at most once, on the timer's thread: release now, label the capture `crash`.
    package init(limit: Duration, onExpiry: @escaping @Sendable () -> Void) {
        let phase = Condition(Phase.waiting(onExpiry))
        self.phase = phase
        thread = WorkerThread(name: "hold-timer") {
            _ = phase.wait(timeout: limit) { phase -> Bool? in
                if case .stopped = phase { true } else { nil }
            }
            let callback = phase.withLock { phase -> (@Sendable () -> Void)? in
                guard case .waiting(let callback) = phase else { return nil }
                phase = .firing(on: pthread_self())
                return callback
            }
            guard let callback else { return }
            callback()
            phase.withLock { $0 = .fired }
        }
    }

    deinit { stop() }

    /// True from the moment at which the limit was reached on.
    package var hasExpired: Bool {
        phase.withLockQuietly { phase in
            switch phase {
            case .firing, .fired: true
            case .waiting, .stopped: false
            }
        }
    }

    /// Stops the clock. When it has rung already, waits until the callback is done; from within the callback it returns
    /// at once.
    ///
    /// - Returns: true when the limit was reached.
    @discardableResult
    package func stop() -> Bool {
        let caller = pthread_self()
        let isWithinCallback = phase.withLockQuietly { phase in
            if case .firing(on: let thread) = phase { pthread_equal(thread, caller) != 0 } else { false }
        }
        if isWithinCallback { return true }
        let hasExpired = phase.wait { phase -> Bool? in
            switch phase {
            case .waiting:
                phase = .stopped
                return false
            case .stopped: return false
            case .firing: return nil
            case .fired: return true
            }
        }
        // The body of the thread throws nothing.
        if !isJoined.exchange(true, ordering: .relaxed) { try? thread.join() }
        return hasExpired ?? false
    }
}
