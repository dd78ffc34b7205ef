import CLinux
import Glibc
import Synchronization

/// The host's end of a plugin's standard input: whole lines, one writer at a time, never blocked for ever.
final class InputPipe: Sendable {
    /// How a write ended.
    enum Outcome: Sendable, Equatable {
        case written
        /// The plugin does not read any more.
        case closed
        /// Nothing could be written for the time allowed.
        case stalled
        /// The caller gave up; a part of the line may have been written.
        case abandoned
    }

    /// How soon a blocked writer notices that the pipe is to be closed or its caller gives up.
    private static let slice: Int32 = 50
    private static let maximumDeferred = 64

    private let descriptor: Mutex<Int32>
    private let isClosing = Atomic<Bool>(false)
    private let deferred = Mutex<[[UInt8]]>([])

    /// Takes over the descriptor and makes it non-blocking.
    init(_ owned: OwnedDescriptor) {
        let number = owned.take()
        if number >= 0 { _ = clinux_fcntl(number, F_SETFL, Int(O_NONBLOCK)) }
        descriptor = Mutex(number)
    }

    deinit { close() }

    /// Writes a whole line; waits while the pipe is full.
    func write(_ line: [UInt8], stall: Duration, isAbandoned: () -> Bool) -> Outcome {
        defer { writeDeferred() }
        return descriptor.withLock { number in
            guard number >= 0 else { return .closed }
            var offset = 0
            var lastProgress = ContinuousClock.now
            while offset < line.count {
                let count = line.withUnsafeBytes { bytes in
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
                    return Glibc.write(number, rest.baseAddress, rest.count)
                }
                if count > 0 {
                    offset += count
                    lastProgress = .now
                    continue
                }
                guard count < 0, errno == EAGAIN || errno == EINTR else { return .closed }
                if isClosing.load(ordering: .acquiring) { return .closed }
                if isAbandoned() { return .abandoned }
                if ContinuousClock.now - lastProgress >= stall { return .stalled }
                var waiting = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
                _ = poll(&waiting, 1, Self.slice)
            }
            return .written
        }
    }

    /// Writes a short line as soon as that is possible without waiting: at once, or after the line that another thread
    /// is writing. It is dropped when the pipe is full then: a plugin that does not read needs no notification.
    ///
    /// Lines up to PIPE_BUF are written whole or not at all. Source: pipe(7).
    func writeIfReady(_ line: [UInt8]) {
        guard line.count <= 4096 else { return }
        deferred.withLock { if $0.count < Self.maximumDeferred { $0.append(line) } }
        writeDeferred()
    }

    /// Whoever adds a line and finds the pipe taken leaves it to the one who has it, who looks here after letting go.
    private func writeDeferred() {
        while deferred.withLock({ !$0.isEmpty }) {
            let isDone: Void? = descriptor.withLockIfAvailable { number in
                for line in deferred.withLock({ lines in lines.takeAll() }) where number >= 0 {
                    _ = line.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
                }
            }
            guard isDone != nil else { return }
        }
    }

    /// Closes the pipe: end-of-file for the plugin.
    func close() {
        isClosing.store(true, ordering: .releasing)
        descriptor.withLock { number in
            if number >= 0 { _ = Glibc.close(number) }
            number = -1
        }
    }
}

extension Array {
    /// All elements; none are left.
    fileprivate mutating func takeAll() -> [Element] {
        defer { self = [] }
        return self
    }
}
