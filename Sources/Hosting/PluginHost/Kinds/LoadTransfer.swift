import CLinux
import Glibc

/// The host's side of one load: what a producer makes goes into a FIFO.
///
/// A FIFO cannot be opened for writing without waiting until somebody reads it (ENXIO), so that is tried again and again
/// until the plugin comes or answers. Source: fifo(7).
final class LoadTransfer {
    /// How soon a reader is noticed.
    private static let readerPoll: Duration = .milliseconds(5)

    let wake: EventDescriptor
    private let path: String
    private var output: OwnedDescriptor?
    private let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: SourcePlugin.bufferByteCount, alignment: 16)
    /// The part of the buffer that is not written yet.
    private var pending: Range<Int> = 0..<0
    /// How many bytes the FIFO took.
    private(set) var byteCount: Int64 = 0
    /// Whether all was written and the FIFO was closed.
    private(set) var isComplete = false
    /// The plugin closed the FIFO before the end.
    private var isRefused = false
    /// What the producer threw.
    private(set) var failure: (any Error)?

    init(_ path: String, _ label: String) throws {
        self.path = path
        do {
            wake = try EventDescriptor()
            guard mkfifo(path, 0o600) == 0 else { throw SystemCallFailure.last("mkfifo \(path)") }
        } catch { throw PluginHostError.spool("no FIFO can be made for \(label)", cause: error) }
    }

    deinit { buffer.deallocate() }

    /// Closes and removes the FIFO.
    func remove() {
        output?.close()
        unlink(path)
    }

    /// Waits for room or the answer, at most `limit`, and writes what fits.
    func step(_ limit: Duration, _ produce: (UnsafeMutableRawBufferPointer) throws -> Int) {
        guard !isComplete, !isRefused, failure == nil else { return waitForAnswer(limit) }
        guard let output = openedOutput() else { return waitForAnswer(min(limit, Self.readerPoll)) }
        do {
            if pending.isEmpty {
                let count = try produce(buffer)
                pending = 0..<max(0, min(count, buffer.count))
                if pending.isEmpty {
                    output.close()
                    isComplete = true
                    return
                }
            }
        } catch {
            failure = error
            return
        }
        write(to: output, limit)
    }

    private func write(to output: OwnedDescriptor, _ limit: Duration) {
        var descriptors = [
            pollfd(fd: output.number, events: Int16(POLLOUT), revents: 0),
            pollfd(fd: wake.number, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&descriptors, 2, PollTimeout.milliseconds(limit))
        if descriptors[1].revents != 0 { wake.lower() }
        guard descriptors[0].revents != 0 else { return }
        let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[pending])
        let count = Glibc.write(output.number, bytes.baseAddress, bytes.count)
        if count > 0 {
            pending = (pending.lowerBound + count)..<pending.upperBound
            byteCount += Int64(count)
        } else if errno != EAGAIN, errno != EINTR {
            output.close()
            isRefused = true
        }
    }

    private func openedOutput() -> OwnedDescriptor? {
        if let output { return output }
        output = try? OwnedDescriptor.open(path, O_WRONLY | O_NONBLOCK | CLINUX_O_NOFOLLOW)
        if let output { _ = clinux_set_pipe_size(output.number, 1 << 20) }
        return output
    }

    private func waitForAnswer(_ limit: Duration) {
        var descriptors = [pollfd(fd: wake.number, events: Int16(POLLIN), revents: 0)]
        _ = poll(&descriptors, 1, PollTimeout.milliseconds(limit))
        if descriptors[0].revents != 0 { wake.lower() }
    }
}
