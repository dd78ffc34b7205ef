import CLinux
import Glibc
import Synchronization

/// A POSIX thread of our own, so that blocking work never sits on the cooperative pool.
///
/// The body runs once; an error that it throws is kept and thrown by ``join()``. Join each thread exactly once.
package final class WorkerThread: Sendable {
    /// Handed to the new thread through a retained pointer and released there.
    private final class Start: Sendable {
        let name: String
        let body: @Sendable () throws -> Void
        let failure = Mutex<(any Error)?>(nil)
        init(name: String, body: @escaping @Sendable () throws -> Void) {
            self.name = name
            self.body = body
        }
    }

    private let start: Start
    private let handle: pthread_t

    /// - Parameters:
    ///   - name: shown by tools such as `top -H`; the kernel keeps 15 bytes (prctl(2), PR_SET_NAME).
    ///   - stackByteCount: the size of the thread's stack.
    package init(name: String, stackByteCount: Int = 1 << 20, _ body: @escaping @Sendable () throws -> Void) {
        let start = Start(name: name, body: body)
        self.start = start
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, stackByteCount)
        var handle = pthread_t()
        let retained = Unmanaged.passRetained(start).toOpaque()
        let result = pthread_create(
            &handle, &attributes,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                clinux_name_thread(start.name)
                do { try start.body() } catch { start.failure.withLock { $0 = error } }
                return nil
            }, retained)
        pthread_attr_destroy(&attributes)
        precondition(result == 0, "The system cannot start another thread (error \(result)).")
        self.handle = handle
    }

    /// Waits for the body to end.
    ///
    /// - Throws: what the body threw.
    package func join() throws {
        pthread_join(handle, nil)
        if let failure = start.failure.withLock({ $0 }) { throw failure }
    }
}
