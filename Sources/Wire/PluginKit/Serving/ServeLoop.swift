import Glibc
import Threads

/// Reads requests on one thread and works on them on others, until the input ends; answers each exactly once.
final class ServeLoop: Sendable {
    private struct Job: Sendable {
        let request: RPCRequest
        let reply: ReplyOnce
        let call: CallContext
    }

    private struct State: Sendable {
        var rules = SessionRules()
        var waiting: [Job] = []
        /// Every request that is not answered yet, for `cancel`.
        var calls: [RequestID: Job] = [:]
        var handler: (any PluginHandler)?
        /// Workers that have, or are about to have, nothing to do. A worker is only started for a request that none of these can take.
        var idleCount = 0
        var workers: [WorkerThread] = []
        /// No more requests come; workers end when nothing waits.
        var isInputOver = false
    }

    /// More than any host that keeps to `max_inflight` ever sends.
    private static let maximumWaiting = 1024

    private let plugin: Plugin
    private let dispatcher: Dispatcher
    private let writer: LineWriter
    private let state = Condition(State())

    init(plugin: Plugin, writer: LineWriter) {
        self.plugin = plugin
        self.writer = writer
        dispatcher = Dispatcher(plugin: plugin)
    }

    /// Serves until the input ends or `termination` becomes readable, then waits for the calls and closes the handler.
    func run(input: Int32, termination: Int32) {
        let wasTerminated = read(input: input, termination: termination)
        finishInput(wasTerminated ? .termination : .endOfInput)
        waitForCalls(wasTerminated ? -1 : termination)
        // Workers do not throw.
        for worker in state.withLockQuietly({ $0.workers }) { try? worker.join() }
        state.withLockQuietly { $0.handler }?.close()
    }
}

// MARK: Reading

extension ServeLoop {
    /// - Returns: whether the process was asked to end, rather than the input ended.
    private func read(input: Int32, termination: Int32) -> Bool {
        var assembler = LineAssembler(maximumByteCount: WireLimits.requestLine)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            var polls = [
                pollfd(fd: input, events: Int16(POLLIN), revents: 0),
                pollfd(fd: termination, events: Int16(POLLIN), revents: 0),
            ]
            // A negative descriptor is left out by poll(2).
            guard poll(&polls, nfds_t(polls.count), -1) >= 0 else {
                if errno == EINTR { continue }
                return false
            }
            if polls[1].revents != 0 { return true }
            let count = buffer.withUnsafeMutableBytes { Glibc.read(input, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return false }
            buffer.withUnsafeBytes { assembler.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            while let line = assembler.next() { take(line) }
        }
    }

    private func take(_ line: LineAssembler.Line) {
        guard case .complete(let bytes) = line else {
            let error = RPCError(.invalidRequest, "a line is longer than \(WireLimits.requestLine) bytes")
            return send(RPCResponse(id: .unknown, outcome: .failure(error)))
        }
        switch ClientLine.judge(bytes) {
        case .invalid(let response): send(response)
        case .notification(let notification): take(notification)
        case .request(let request): take(request)
        }
    }

    private func take(_ notification: RPCNotification) {
        // What cannot be read is ignored, as an unknown id is.
        guard notification.method == PluginMethod.cancel.name,
            let parameters = try? CancelParameters(notification.params)
        else { return }
        state.withLockQuietly { $0.calls[.text(parameters.request)] }?.call.cancel(.requested)
    }

    private func take(_ request: RPCRequest) {
        let reply = ReplyOnce(id: request.id) { [self] in send($0) }
        let call = CallContext(
            requestID: request.id.description, notify: { [self] in line(of: $0).map(writer.write) },
            notifyOrDrop: { [self] in line(of: $0).map(writer.writeOrDrop) })
        let isTaken = state.withLock { state in
            guard state.waiting.count < Self.maximumWaiting, state.calls[request.id] == nil else { return false }
            let job = Job(request: request, reply: reply, call: call)
            state.waiting.append(job)
            state.calls[request.id] = job
            let maximum = max(1, plugin.description.limits.maxInflight)
            if state.waiting.count > state.idleCount, state.workers.count < maximum {
                let name = "call-\(state.workers.count)"
                state.idleCount += 1
                state.workers.append(WorkerThread(name: name, stackByteCount: 4 << 20) { [self] in work() })
            }
            return true
        }
        guard !isTaken else { return }
        reply.resolve(
            .failure(RPCError(.invalidRequest, "the id is in use, or more than \(Self.maximumWaiting) requests wait")))
    }

    /// Tells the calls that nobody, or soon nobody, waits for them: at the end of the input those of hooks and sources,
    /// whose effects must not outlive the host; when the process was asked to end, all.
    private func finishInput(_ reason: CallContext.CancelReason) {
        let calls = state.withLock { state -> [CallContext] in
            state.isInputOver = true
            return state.calls.values.filter { reason == .termination || Self.isBoundToHost($0.request) }.map(\.call)
        }
        for call in calls { call.cancel(reason) }
    }

    private static func isBoundToHost(_ request: RPCRequest) -> Bool {
        let kind = PluginMethod.all.first { $0.name == request.method }?.kind
        return kind == .hook || kind == .source
    }

    /// After the end of the input: waits until every call is answered, and passes a request to end on to them.
    private func waitForCalls(_ termination: Int32) {
        var termination = termination
        while state.wait(timeout: .milliseconds(50), { $0.calls.isEmpty ? true : nil }) == nil {
            var poll = pollfd(fd: termination, events: Int16(POLLIN), revents: 0)
            guard termination >= 0, Glibc.poll(&poll, 1, 0) > 0 else { continue }
            termination = -1
            finishInput(.termination)
        }
    }
}

// MARK: Working

extension ServeLoop {
    private func work() {
        while let (job, admission) = nextJob() {
            let outcome: Result<JSONObject, RPCError>
            switch admission {
            case .refuse(let error): outcome = .failure(error)
            case .describe: outcome = dispatcher.describe(job.request.params)
            case .open: outcome = open(job)
            case .call: outcome = answer(job)
            }
            job.call.finish()
            // Forgotten, and free again, before it is answered: the host may ask again at once.
            state.withLockQuietly { state in
                state.calls[job.request.id] = nil
                state.idleCount += 1
            }
            job.reply.resolve(outcome)
        }
    }

    private func nextJob() -> (Job, SessionRules.Admission)? {
        state.wait { state -> (Job, SessionRules.Admission)?? in
            guard !state.rules.isOpening else { return nil }
            guard !state.waiting.isEmpty else { return state.isInputOver ? .some(nil) : nil }
            state.idleCount -= 1
            let job = state.waiting.removeFirst()
            return (job, state.rules.admit(job.request.method))
        } ?? nil
    }

    private func open(_ job: Job) -> Result<JSONObject, RPCError> {
        let opened = dispatcher.open(job.request.params, job.call)
        state.withLock { state in
            if case .success(let plugin) = opened {
                state.handler = plugin.handler
                state.rules.opened(true)
            } else {
                state.rules.opened(false)
            }
        }
        return opened.map(\.result.encoded)
    }

    private func answer(_ job: Job) -> Result<JSONObject, RPCError> {
        guard let handler = state.withLockQuietly({ $0.handler }) else {
            return .failure(RPCError(.internalError, "the plugin is not open"))
        }
        if job.call.cancelReason == .termination, !Self.isBoundToHost(job.request) {
            return .failure(RPCError(.cancelled, "the plugin was asked to end"))
        }
        return dispatcher.call(job.request.method, job.request.params, handler, job.call)
    }
}

// MARK: Writing

extension ServeLoop {
    private func send(_ response: RPCResponse) {
        do {
            writer.write(try response.line())
        } catch {
            let failure = RPCError(.internalError, "the result cannot be sent: \(error)")
            // A short ASCII message always has a line.
            if let line = try? RPCResponse(id: response.id, outcome: .failure(failure)).line() { writer.write(line) }
        }
    }

    /// Nil for a notification that cannot be written, because of a NUL in a text: that is not worth a failure.
    private func line(of notification: RPCNotification) -> [UInt8]? {
        try? notification.canonicalLine(maximumByteCount: WireLimits.responseLine)
    }
}
