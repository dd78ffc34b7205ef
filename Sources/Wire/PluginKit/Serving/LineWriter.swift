import Glibc
import Synchronization

/// Writes whole lines to a descriptor, one after the other, from any thread.
final class LineWriter: Sendable {
    private let descriptor: Int32
    /// True once the reader is gone; what comes later is dropped.
    private let isBroken = Mutex(false)

    init(descriptor: Int32) { self.descriptor = descriptor }

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
