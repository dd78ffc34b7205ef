import Glibc
import Synchronization

/// Writes whole lines to a descriptor, one after the other, from any thread.
final class LineWriter: Sendable {
    private let descriptor: Int32
    /// True once the reader is gone; what comes later is dropped.
    private let isBroken = Mutex(false)

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// The most that a pipe which is ready takes at once without waiting. Source: pipe(7), PIPE_BUF.
    static let atOnceByteCount = 4096

    /// Writes a line of at most ``atOnceByteCount`` bytes if that is possible without waiting, else drops it: for what
    /// is told in passing by work that must not wait for a host that does not read.
    func writeOrDrop(_ line: [UInt8]) {
        guard line.count <= Self.atOnceByteCount else { return }
        _ = isBroken.withLockIfAvailable { isBroken in
            var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard !isBroken, Glibc.poll(&poll, 1, 0) == 1, poll.revents & Int16(POLLOUT) != 0 else { return }
            // A pipe takes so few bytes whole or not at all.
            let count = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EPIPE { isBroken = true }
        }
    }

    /// Waits until the line is written or the reader is gone.
    func write(_ line: [UInt8]) {
        isBroken.withLock { isBroken in
            guard !isBroken else { return }
            line.withUnsafeBytes { bytes in
                var written = 0
                while written < bytes.count {
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                    let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                    if count > 0 {
                        written += count
                    } else if errno == EAGAIN {
                        var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                        _ = Glibc.poll(&poll, 1, -1)
                    } else if errno != EINTR {
                        isBroken = true
                        return
                    }
                }
            }
        }
    }
}
