import JSON
import JSONRPC
import PluginProtocol
import Synchronization
import Threads

/// How one request is sent and waited for.
struct CallOptions: Sendable {
    /// Method and object: `storage.put data/00/…`.
    var label: String
    var hard: Duration
    /// Nil when only the hard deadline counts.
    var idle: Duration?
    var cancellation: Cancellation?
}

/// One process of a plugin with its part of the spool.
final class PluginInstance: Sendable {
    let process: PluginProcess
    let spool: ProcessSpool

    init(process: PluginProcess, spool: ProcessSpool) {
        self.process = process
        self.spool = spool
    }

    /// Whether it ended or is being stopped, so that it takes no more requests.
    var isSpent: Bool { process.end != nil || process.isStopping }

    /// Sends a request and waits for its result.
    ///
    /// - Throws: ``PluginHostError``.
    func call<Call: PluginCall>(
        _ type: Call.Type, _ parameters: Call.Parameters, _ options: CallOptions
    ) throws -> Call.Response {
        let call = try begin(Call.method, parameters, options)
        return try decode(type, try finish(call, options), options)
    }

    /// Registers a request and writes its line.
    func begin(
        _ method: PluginMethod, _ parameters: some WireObject, _ options: CallOptions, wake: EventDescriptor? = nil
    ) throws -> PendingCall {
        do {
            return try process.begin(
                method.name, parameters.encoded, label: options.label, wake: wake,
                isAbandoned: { options.cancellation?.isCancelled ?? false })
        } catch { throw PluginHostError.unsendable(process.subject, request: options.label, cause: error) }
    }

    /// Waits for the result of a request.
    func finish(_ call: PendingCall, _ options: CallOptions) throws -> JSONObject {
        let isCancelled = { options.cancellation?.isCancelled ?? false }
        return try finish(
            call, options, isCancelled: { false },
            pause: { limit, isRunning in
                // Once the call is being stopped, a cancellation is no news.
                call.wait(limit) { isRunning && isCancelled() }
            })
    }

    /// Waits for the result of a request and for something else. See ``PluginProcess/finish(_:_:isCancelled:pause:)``.
    func finish(
        _ call: PendingCall, _ options: CallOptions, isCancelled: () -> Bool = { false }, pause: (Duration) -> Void
    ) throws -> JSONObject {
        try finish(call, options, isCancelled: isCancelled, pause: { limit, _ in pause(limit) })
    }

    private func finish(
        _ call: PendingCall, _ options: CallOptions, isCancelled: () -> Bool, pause: (Duration, Bool) -> Void
    ) throws -> JSONObject {
        let clock = CallClock(
            started: call.started, hard: options.hard, idle: options.idle, grace: process.deadlines.cancelGrace)
        let token = options.cancellation?.onCancel { call.nudge() }
        defer { if let token { options.cancellation?.remove(token) } }
        return try process.finish(
            call, clock, isCancelled: { isCancelled() || (options.cancellation?.isCancelled ?? false) }, pause: pause)
    }

    /// Reads a result; one of the wrong shape ends the process.
    func decode<Call: PluginCall>(
        _ type: Call.Type, _ result: JSONObject, _ options: CallOptions
    ) throws -> Call.Response {
        do { return try Call.Response(result, path: "result") } catch {
            throw violated("answered \(options.label) with a result of the wrong shape: \(error)", options)
        }
    }

    /// Ends the process for an answer that cannot be, and waits for its end.
    ///
    /// - Returns: the error to throw.
    func violated(_ sentence: String, _ options: CallOptions) -> PluginHostError {
        let failure = ProcessFailure(code: .protocolViolation, sentence: process.mask.masked(sentence))
        process.stop(.terminate, failure)
        let limit = process.deadlines.exitAfterTerminate + process.deadlines.exitAfterKill + .seconds(5)
        guard let end = process.waitForEnd(timeout: limit) else {
            return PluginHostError.violation(process.subject, request: options.label, failure.sentence)
        }
        return end.error(process.subject, request: options.label)
    }

    /// Ends the process in order and removes its spool.
    func close() {
        process.close()
        spool.remove()
    }

    /// Waits for a process that ended or is being stopped, and removes its spool.
    func dispose() {
        let limit =
            process.deadlines.exitAfterEndOfFile + process.deadlines.exitAfterTerminate
            + process.deadlines.exitAfterKill + .seconds(5)
        process.waitForEnd(timeout: limit)
        spool.remove()
    }
}
