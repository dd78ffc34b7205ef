import Glibc
import Threads

/// Page-aligned memory that is handed from stage to stage; who holds it may write, and nobody else looks.
package final class RawBuffer: @unchecked Sendable {
    // Safe: ownership moves through queues; the pool gives a buffer to one holder at a time.
    /// The memory, in whole pages, zeros at first; valid while the buffer lives.
    package let bytes: UnsafeMutableRawBufferPointer

    /// - Parameter byteCount: rounded up to pages; the memory costs nothing before it is touched.
    package init(byteCount: Int) {
        let rounded = (byteCount + 4095) & ~4095
        let memory = mmap(nil, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { preconditionFailure("The system has no memory left.") }
        bytes = UnsafeMutableRawBufferPointer(start: memory, count: rounded)
    }

    deinit { munmap(bytes.baseAddress, bytes.count) }

    /// Gives the memory behind the first `keeping` bytes back to the system.
    package func trim(keeping: Int) {
        let start = (keeping + 4095) & ~4095
        guard start < bytes.count else { return }
        madvise(bytes.baseAddress.map { $0 + start }, bytes.count - start, MADV_DONTNEED)
    }
}

/// A fixed number of equal buffers; taking one waits until one is free. The pool is the memory budget of its stage.
package final class BufferPool: Sendable {
    private struct State {
        var free: [RawBuffer] = []
        var made = 0
        var isAborted = false
    }

    private let state = Condition(State())
    private let count: Int
    private let byteCount: Int

    /// Buffers are made when they are first needed.
    package init(count: Int, byteCount: Int) {
        self.count = count
        self.byteCount = byteCount
    }

    /// Waits for a free buffer.
    ///
    /// - Returns: nil after ``abort()``.
    package func take() -> RawBuffer? {
        state.wait { state -> RawBuffer?? in
            if state.isAborted { return .some(nil) }
            if let buffer = state.free.popLast() { return buffer }
            guard state.made < count else { return nil }
            state.made += 1
            return RawBuffer(byteCount: byteCount)
        } ?? nil
    }

    /// Gives a buffer back.
    package func give(_ buffer: RawBuffer) { state.withLock { $0.free.append(buffer) } }

    /// Wakes all who wait; for failures.
    package func abort() { state.withLock { $0.isAborted = true } }
}
