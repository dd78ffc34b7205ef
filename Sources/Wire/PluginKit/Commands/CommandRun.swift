import CLinux
import CSpawn
import Glibc

extension Command {
    /// Runs the command and returns when it, and all it was stopped with, has ended. Any exit status is a success here.
    ///
    /// What the program left running in its group on purpose goes on, unless the command was stopped: then the whole
    /// group is killed.
    ///
    /// - Parameters:
    ///   - stop: ends the command from another thread.
    ///   - onLine: gets each line, and whether it came from standard error.
    /// - Throws: ``PluginFailure`` `hookFailed` when the program cannot be started.
    package func run(stop: StopSignal? = nil, onLine: (String, Bool) -> Void) throws -> CommandOutcome {
        var run = CommandRun(self, try start(), stop)
        return run.finish(onLine)
    }
}

/// A command from its start to its end, on one thread.
private struct CommandRun {
    private enum Phase {
        case running
        /// SIGTERM was sent; SIGKILL follows at the given time.
        case ending(ContinuousClock.Instant)
        case killed
    }

    private static let lastLineCount = 20
    /// How long output is awaited after the program ended, when something it left behind keeps the pipe open.
    private static let drainLimit = Duration.milliseconds(300)

    private let command: Command
    private let process: cspawn_process
    private let stopDescriptor: Int32
    private var output: LineChannel
    private var error: LineChannel
    private var inputDescriptor: Int32
    private var outputCopy: CopyChannel?
    private var inputCopy: CopyChannel?
    private var phase = Phase.running
    private var stop: CommandOutcome.Stop?
    private var hasEnded = false
    private var lastLines: [String] = []
    private let deadline: ContinuousClock.Instant?
    private var drainDeadline: ContinuousClock.Instant?

    init(_ command: Command, _ process: cspawn_process, _ stop: StopSignal?) {
        self.command = command
        self.process = process
        stopDescriptor = stop?.descriptor ?? -1
        output = LineChannel(descriptor: process.output)
        error = LineChannel(descriptor: process.error)
        inputDescriptor = process.input
        deadline = command.timeout.map { ContinuousClock.now + $0 }
        for descriptor in [process.output, process.error, process.input] where descriptor >= 0 {
            _ = clinux_fcntl(descriptor, F_SETFL, Int(clinux_fcntl(descriptor, F_GETFL, 0) | O_NONBLOCK))
        }
        if case .copied(let target) = command.output {
            // As much as one may have; without the right to it, the pipe stays as it is.
            _ = clinux_set_pipe_size(process.output, 1 << 20)
            outputCopy = CopyChannel(from: process.output, to: target)
        }
        if case .copied(let source) = command.input { inputCopy = CopyChannel(from: source, to: process.input) }
    }

    mutating func finish(_ onLine: (String, Bool) -> Void) -> CommandOutcome {
        while !isOver { step(onLine) }
        tell(output.finish(), false, onLine)
        tell(error.finish(), true, onLine)
        if stop != nil { kill(-process.pid, SIGKILL) }
        var exit = cspawn_exit()
        _ = cspawn_reap(process.pid, true, &exit)
        for descriptor in [inputDescriptor, process.pidfd] where descriptor >= 0 {
            close(descriptor)
        }
        return CommandOutcome(
            ending: exit.signal > 0 ? .signalled(exit.signal) : .exited(exit.exit_status), stop: stop,
            lastLines: lastLines, copiedInput: inputCopy?.copied ?? 0, copiedOutput: outputCopy?.copied ?? 0)
    }

    private var isOver: Bool {
        guard hasEnded else { return false }
        if let drainDeadline, ContinuousClock.now >= drainDeadline { return true }
        return output.descriptor < 0 && error.descriptor < 0
    }

    private mutating func step(_ onLine: (String, Bool) -> Void) {
        var polls = [
            pollfd(fd: hasEnded ? -1 : process.pidfd, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stop == nil ? stopDescriptor : -1, events: Int16(POLLIN), revents: 0),
            outputCopy == nil
                ? pollfd(fd: output.descriptor, events: Int16(POLLIN), revents: 0)
                : outputCopy?.interest ?? pollfd(fd: -1, events: 0, revents: 0),
            pollfd(fd: error.descriptor, events: Int16(POLLIN), revents: 0),
            inputCopy?.interest ?? pollfd(fd: -1, events: 0, revents: 0),
        ]
        _ = poll(&polls, nfds_t(polls.count), waitMilliseconds)
        if !hasEnded, polls[0].revents != 0 || process.pidfd < 0, cspawn_has_ended(process.pid) { ended() }
        if polls[1].revents != 0 { begin(.requested) }
        if polls[2].revents != 0 {
            if outputCopy == nil {
                tell(output.read(), false, onLine)
            } else {
                advanceOutputCopy()
            }
        }
        if polls[3].revents != 0 { tell(error.read(), true, onLine) }
        if polls[4].revents != 0 { advanceInputCopy() }
        checkClock()
    }

    private var waitMilliseconds: Int32 {
        // Without a pidfd the end is only seen by looking.
        if process.pidfd < 0, !hasEnded { return 20 }
        var next = deadline
        if case .ending(let time) = phase { next = time }
        if case .killed = phase { next = nil }
        if let drainDeadline { next = drainDeadline }
        guard let next else { return -1 }
        let (seconds, attoseconds) = (next - ContinuousClock.now).components
        return Int32(
            clamping: max(
                0,
                seconds.multipliedReportingOverflow(by: 1000).partialValue
                    + attoseconds / 1_000_000_000_000_000 + 1))
    }

    private mutating func checkClock() {
        let now = ContinuousClock.now
        switch phase {
        case .running: if let deadline, now >= deadline, !isOver { begin(.timeout) }
        case .ending(let time):
            guard now >= time else { return }
            phase = .killed
            kill(-process.pid, SIGKILL)
        case .killed: break
        }
    }

    /// Begins to stop the group, for the first reason that comes.
    private mutating func begin(_ reason: CommandOutcome.Stop) {
        guard stop == nil else { return }
        stop = reason
        phase = .ending(ContinuousClock.now + command.grace)
        kill(-process.pid, SIGTERM)
        // A group that was stopped with SIGSTOP must run to see it.
        kill(-process.pid, SIGCONT)
        if hasEnded { drainDeadline = ContinuousClock.now + Self.drainLimit }
    }

    private mutating func ended() {
        hasEnded = true
        if stop != nil {
            // The program is gone but not reaped, so that the group's number is still its own.
            kill(-process.pid, SIGKILL)
            phase = .killed
        }
        // A copy is complete at its end only; for lines, what was left running must not keep us.
        if outputCopy == nil || stop != nil { drainDeadline = ContinuousClock.now + Self.drainLimit }
    }
}

// MARK: Streams

extension CommandRun {
    private mutating func tell(_ lines: [String], _ isError: Bool, _ onLine: (String, Bool) -> Void) {
        for line in lines {
            if lastLines.count == Self.lastLineCount { lastLines.removeFirst() }
            lastLines.append(line)
            onLine(line, isError)
        }
    }

    private mutating func advanceOutputCopy() {
        outputCopy?.advance()
        if let code = outputCopy?.targetError { begin(code == EPIPE ? .readerGone : .copyFailed(code)) }
        if outputCopy?.isOver == true { output.close() }
    }

    private mutating func advanceInputCopy() {
        inputCopy?.advance()
        guard let copy = inputCopy, copy.isOver, inputDescriptor >= 0 else { return }
        if copy.isSourceOver, let expected = command.inputByteCount, copy.copied < expected {
            begin(.inputTooShort)
        }
        close(inputDescriptor)
        inputDescriptor = -1
    }
}
