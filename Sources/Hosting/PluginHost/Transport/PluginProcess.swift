import CLinux
import CSpawn
import Glibc
import JSON
import JSONRPC
import PluginProtocol
import Synchronization
import Threads

/// One running plugin process: its three pipes, its calls and its end.
///
/// One thread of its own (``ProcessLoop``) reads standard output and standard error from before the first byte is
/// written, and watches for the end. Callers write their line themselves and wait for their own response.
final class PluginProcess: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// What the loop is told by other threads.
    struct Orders: Sendable {
        var steps: [StopLadder.Step: Instant] = [:]
        /// Why; the first one counts, and only when the process does not end by itself before the step is taken.
        var failure: ProcessFailure?
        var wasClosed = false
        /// A step was ordered; it may still be some time ahead.
        var isStopping = false
    }

    let subject: PluginSubject
    let child: SpawnedChild
    let deadlines: PluginDeadlines
    let mask: SecretMask
    let input: InputPipe
    let pending = Mutex(PendingRequests<PendingCall>())
    let orders = Mutex(Orders())
    let wake: EventDescriptor
    let emit: @Sendable (PluginEvent) -> Void
    private let ending = Condition<ProcessEnding?>(nil)
    private let thread = Mutex<WorkerThread?>(nil)
    private let nextID = Atomic<Int>(1)

    /// Takes over a child and starts to read from it.
    ///
    /// - Throws: ``SystemCallFailure`` when there is no descriptor left; the child is ended then.
    init(
        _ child: SpawnedChild, subject: PluginSubject, deadlines: PluginDeadlines, mask: SecretMask,
        emit: @escaping @Sendable (PluginEvent) -> Void
    ) throws {
        self.subject = subject
        self.child = child
        self.deadlines = deadlines
        self.mask = mask
        self.emit = emit
        input = InputPipe(child.input)
        do { wake = try EventDescriptor() } catch {
            _ = kill(-child.pid, SIGKILL)
            var exit = cspawn_exit()
            _ = cspawn_reap(child.pid, true, &exit)
            throw error
        }
        emit(.started(plugin: subject.name, processID: child.pid))
        let worker = WorkerThread(name: "plugin-\(subject.name)") { [self] in
            var loop = ProcessLoop(self)
            loop.run()
        }
        thread.withLock { $0 = worker }
    }

    /// Nil while the process runs.
    var end: ProcessEnding? { ending.withLockQuietly { $0 } }

    /// Waits until the process is reaped.
    ///
    /// Also gives back the process's thread, so each process must be waited for once it is of no more use.
    ///
    /// - Returns: nil when the time was up first.
    @discardableResult
    func waitForEnd(timeout: Duration? = nil) -> ProcessEnding? {
        guard let end = ending.wait(timeout: timeout, { $0 }) else { return nil }
        // The loop has published its end, so the thread is through; its body throws nothing.
        try? thread.withLock { $0.take() }?.join()
        return end
    }

    /// Registers a call and writes its line.
    ///
    /// What goes wrong while writing ends the process, and so the call; it is not thrown here.
    ///
    /// - Throws: `FramingError` or `JSONError` when the request cannot be written as a line.
    func begin(
        _ method: String, _ params: JSONObject, label: String, wake: EventDescriptor? = nil,
        isAbandoned: () -> Bool = { false }
    ) throws -> PendingCall {
        let number = nextID.wrappingAdd(1, ordering: .relaxed).oldValue
        let id = RequestID.text("h\(number)")
        let call = PendingCall(id: id, label: label, wake: wake)
        let line = try RPCRequest(id: id, method: method, params: params).canonicalLine()
        guard try pending.withLock({ try $0.register(id, call) }) else {
            call.resolve(.ended(end ?? endingInDoubt))
            return call
        }
        switch input.write(line, stall: deadlines.inputStall, isAbandoned: { isAbandoned() || call.outcome != nil }) {
        case .written: break
        case .closed:
            stop(.terminate, after: deadlines.closedStreamGrace, died("closed its standard input"))
        case .stalled:
            let sentence = "did not read its standard input for \(deadlines.inputStall)"
            stop(.terminate, ProcessFailure(code: .timeout, sentence: sentence))
        case .abandoned:
            stop(.terminate, died("was stopped because a request to it was given up half-way"))
        }
        return call
    }

    /// Waits for the response of a call, through cancellation, deadlines and the end of the process.
    ///
    /// Whoever makes `isCancelled` true also calls ``PendingCall/nudge()``.
    ///
    /// - Parameters:
    ///   - clock: the deadlines.
    ///   - pause: waits until the call changes, or for whatever the caller waits for besides, at most `limit`;
    ///     `isRunning` is false once the call is being stopped.
    /// - Throws: ``PluginHostError``: `remote`, `cancelled`, `timeout`, `died`, `protocolViolation`, `closed`.
    func finish(
        _ call: PendingCall, _ clock: CallClock, isCancelled: () -> Bool,
        pause: (_ limit: Duration, _ isRunning: Bool) -> Void
    ) throws -> JSONObject {
        var clock = clock
        while true {
            if let outcome = call.outcome { return try result(of: outcome, call, clock.reason) }
            let step = clock.next(now: .now, lastActivity: call.lastActivity, isCancelled: isCancelled())
            switch step {
            case .wait(let duration): pause(duration, clock.reason == nil)
            case .sendCancel: sendCancel(call)
            case .stopProcess(let reason):
                stop(.terminate, died("was stopped because \(call.label) \(Self.text(reason))"))
            }
        }
    }

    /// Whether the end was ordered, so that no more requests should be sent.
    var isStopping: Bool { orders.withLock { $0.isStopping } }

    /// Orders a step towards the end of the process; returns at once.
    func stop(_ step: StopLadder.Step, after delay: Duration = .zero, _ failure: ProcessFailure? = nil) {
        orders.withLock { orders in
            let due = Instant.now + delay
            orders.steps[step] = min(orders.steps[step] ?? due, due)
            orders.isStopping = true
            if orders.failure == nil { orders.failure = failure }
        }
        wake.raise()
    }

    /// Gives the process end-of-file, and the signals that follow it; returns at once.
    func beginClosing() {
        orders.withLock { $0.wasClosed = true }
        stop(.closeInput)
    }

    /// Ends the process in order: end-of-file, then SIGTERM, then SIGKILL to its group. Waits for the end.
    func close() {
        beginClosing()
        let limit =
            deadlines.exitAfterEndOfFile + deadlines.exitAfterTerminate + deadlines.exitAfterKill + .seconds(5)
        _ = waitForEnd(timeout: limit)
    }

    /// Called by the loop, once.
    func publish(_ end: ProcessEnding) {
        let calls = pending.withLock { $0.close() }
        input.close()
        emit(.ended(plugin: subject.name, processID: child.pid, reason: end.failure?.sentence ?? end.how))
        // Before the calls fail, so that whoever sends one again does not find this process alive.
        ending.withLock { $0 = end }
        for call in calls { call.resolve(.ended(end)) }
    }

    func died(_ sentence: String) -> ProcessFailure { ProcessFailure(code: .died, sentence: sentence) }

    /// The table of calls is closed just before the ending is published.
    private var endingInDoubt: ProcessEnding {
        ending.wait(timeout: .seconds(5)) { $0 }
            ?? ProcessEnding(exitStatus: nil, signal: nil, failure: nil, wasClosed: false, lastStandardError: [])
    }

    private func sendCancel(_ call: PendingCall) {
        let cancel = RPCNotification(
            method: PluginMethod.cancel.name, params: CancelParameters(request: call.id.description).encoded)
        // A cancel that cannot be written changes nothing: the grace period decides.
        if let line = try? cancel.canonicalLine() { input.writeIfReady(line) }
    }

    private func result(
        of outcome: PendingCall.Outcome, _ call: PendingCall, _ reason: CallClock.Reason?
    ) throws -> JSONObject {
        switch outcome {
        case .response(.success(let result)): return result
        case .response(.failure(let remote)):
            if reason != nil, remote.code == .cancelled { throw stopped(call, reason, nil) }
            throw PluginHostError.remote(subject, request: call.label, error: masked(remote))
        case .ended(let end):
            if reason != nil { throw stopped(call, reason, end) }
            throw end.error(subject, request: call.label)
        }
    }

    private func masked(_ error: RPCError) -> RPCError {
        guard mask.longestByteCount > 0 else { return error }
        var data = error.data
        if let detail = error.detail { data?["detail"] = .string(mask.masked(detail)) }
        return RPCError(error.code, mask.masked(error.message), data: data)
    }

    private func stopped(
        _ call: PendingCall, _ reason: CallClock.Reason?, _ end: ProcessEnding?
    ) -> PluginHostError {
        let code: PluginHostError.Code = reason == .cancelled ? .cancelled : .timeout
        let text = reason.map(Self.text) ?? "was stopped"
        let what = end.map { "; it \($0.how)" } ?? ""
        var error = PluginHostError(code, "\(call.label) of \(subject.title) \(text)\(what)", subject: subject)
        error.request = call.label
        error.exitStatus = end?.exitStatus
        error.signal = end?.signal
        error.lastStandardError = end?.lastStandardError ?? []
        error.retryable = code == .timeout
        return error
    }

    private static func text(_ reason: CallClock.Reason) -> String {
        switch reason {
        case .cancelled: "was cancelled"
        case .hardDeadline(let limit): "took longer than \(limit)"
        case .idleDeadline(let limit): "made no progress for \(limit)"
        }
    }
}
