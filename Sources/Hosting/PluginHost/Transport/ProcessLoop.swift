import CLinux
import CSpawn
import Glibc
import JSON
import JSONRPC
import Synchronization

/// The thread of one plugin process: reads its output, obeys orders to stop it, and reaps it.
///
/// At most one buffer of each stream is handled before the other, the orders and the clock get their turn, so neither a
/// flood on one stream nor a slow reader of events starves anything else of the same plugin for long.
struct ProcessLoop {
    typealias Instant = ContinuousClock.Instant

    private static let bufferByteCount = 64 << 10

    private let process: PluginProcess
    private var ladder: StopLadder
    private var lines = LineAssembler(maximumByteCount: WireLimits.responseLine)
    private var judge: LineJudge
    private var errors: StandardErrorLines
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferByteCount, alignment: 16)
    /// Why the process was stopped, once a step was taken because of it.
    private var failure: ProcessFailure?
    /// Set when the leader has ended: how long its pipes are still read.
    private var drainUntil: Instant?

    init(_ process: PluginProcess) {
        self.process = process
        ladder = StopLadder(process.deadlines)
        judge = LineJudge(process)
        errors = StandardErrorLines(mask: process.mask)
    }

    /// Runs until the process is reaped, or given up after SIGKILL.
    mutating func run() {
        for descriptor in [process.child.output, process.child.error] {
            _ = clinux_fcntl(descriptor.number, F_SETFL, Int(O_NONBLOCK))
        }
        while !isOver {
            obeyOrders()
            guard ladder.taken != .giveUp else { break }
            let mayHaveEnded = wait()
            readStandardError()
            readStandardOutput()
            if mayHaveEnded { noticeEnd() }
        }
        end()
        buffer.deallocate()
    }

    private var hasEnded: Bool { drainUntil != nil }

    private var isOver: Bool {
        guard let drainUntil else { return false }
        if process.child.output.number < 0, process.child.error.number < 0 { return true }
        // Nobody waits for anything: what the leader wrote was read before its end was noticed.
        return process.pending.withLock { $0.count == 0 } || Instant.now >= drainUntil
    }

    private mutating func obeyOrders() {
        let (ordered, reason) = process.orders.withLock { orders in
            defer { orders.steps = [:] }
            return (orders.steps, orders.failure)
        }
        for (step, due) in ordered { ladder.order(step, at: due) }
        for step in ladder.advance(now: .now) {
            if failure == nil, step > .closeInput { failure = reason }
            switch step {
            case .closeInput: process.input.close()
            // The leader is not reaped before the loop ends, so the id cannot belong to anybody else.
            case .terminate: signal(SIGTERM)
            case .kill: signal(SIGKILL)
            case .giveUp: break
            }
        }
    }

    private func signal(_ number: Int32) { _ = kill(-process.child.pid, number) }

    /// Waits until there is something to do.
    ///
    /// - Returns: whether the leader may have ended.
    private func wait() -> Bool {
        let now = Instant.now
        var limit = ladder.nextDue.map { $0 - now }
        if let drainUntil { limit = min(limit ?? drainUntil - now, drainUntil - now) }
        // Without pidfd_open(2) the end of the leader has to be looked for.
        if process.child.exitDescriptor.number < 0 { limit = min(limit ?? .milliseconds(20), .milliseconds(20)) }
        var descriptors = [
            pollfd(fd: process.wake.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: process.child.output.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: process.child.error.number, events: Int16(POLLIN), revents: 0),
            // Once it has ended, the pidfd stays readable.
            pollfd(fd: hasEnded ? -1 : process.child.exitDescriptor.number, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&descriptors, nfds_t(descriptors.count), PollTimeout.milliseconds(limit))
        if descriptors[0].revents != 0 { process.wake.lower() }
        return descriptors[3].revents != 0 || process.child.exitDescriptor.number < 0
    }

    private mutating func readStandardError() {
        guard let bytes = read(process.child.error) else { return }
        let process = process
        errors.append(bytes, now: .now) { line in
            process.emit(.standardError(plugin: process.subject.name, line: line))
        }
    }

    private mutating func readStandardOutput() {
        let wasOpen = process.child.output.number >= 0
        if let bytes = read(process.child.output) {
            lines.append(bytes)
            while let line = lines.next() {
                guard let objection = judge.objection(to: line) else { continue }
                process.child.output.close()
                process.stop(.terminate, objection)
                return
            }
        }
        guard wasOpen, process.child.output.number < 0, !hasEnded else { return }
        process.stop(
            .terminate, after: process.deadlines.closedStreamGrace, process.died("closed its standard output"))
    }

    /// - Returns: nil when nothing was there; at the end of the stream its descriptor is closed.
    private func read(_ descriptor: OwnedDescriptor) -> UnsafeRawBufferPointer? {
        guard descriptor.number >= 0 else { return nil }
        let count = Glibc.read(descriptor.number, buffer.baseAddress, buffer.count)
        if count > 0 { return UnsafeRawBufferPointer(rebasing: buffer[..<count]) }
        if count == 0 || (errno != EAGAIN && errno != EINTR) { descriptor.close() }
        return nil
    }

    /// Looks whether the leader has ended, without reaping it: its process and group ids stay taken.
    private mutating func noticeEnd() {
        guard !hasEnded else { return }
        guard cspawn_has_ended(process.child.pid) else { return }
        // What it wrote last is in the pipes by now.
        for _ in 0..<64 where process.child.error.number >= 0 { readStandardError() }
        for _ in 0..<64 where process.child.output.number >= 0 { readStandardOutput() }
        drainUntil = .now + process.deadlines.drain
    }

    private mutating func end() {
        // What it started and left behind in its group; processes that moved to a session of their own are not ours.
        signal(SIGKILL)
        var exit = cspawn_exit()
        let isReaped = hasEnded && cspawn_reap(process.child.pid, true, &exit) == 1
        let process = process
        errors.finish(now: .now) { line in
            process.emit(.standardError(plugin: process.subject.name, line: line))
        }
        for descriptor in [process.child.output, process.child.error, process.child.exitDescriptor] {
            descriptor.close()
        }
        process.publish(
            ProcessEnding(
                exitStatus: isReaped && exit.exit_status >= 0 ? exit.exit_status : nil,
                signal: isReaped && exit.signal > 0 ? exit.signal : nil,
                failure: failure ?? judge.firstViolation, wasClosed: process.orders.withLock { $0.wasClosed },
                lastStandardError: errors.lastLines))
    }
}

/// poll(2) counts in milliseconds.
enum PollTimeout {
    /// Rounded up, so that a wait is never too short; -1 (for ever) for nil.
    static func milliseconds(_ duration: Duration?) -> Int32 {
        guard let duration else { return -1 }
        guard duration > .zero else { return 0 }
        let (seconds, attoseconds) = duration.components
        guard seconds < 1_000_000 else { return 1_000_000_000 }
        return Int32(seconds) * 1000 + Int32((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
