import JSON
import JSONRPC
import PluginProtocol
import Synchronization

/// Decides what each line on a plugin's standard output means, and acts on those that are in order.
struct LineJudge {
    /// More requests to the host than this are a broken plugin, not a curious one.
    private static let toleratedRequests = 100

    private let process: PluginProcess
    private var noise = NoiseBudget()
    private var requestCount = 0
    /// The first line that broke the protocol.
    private(set) var firstViolation: ProcessFailure?

    init(_ process: PluginProcess) { self.process = process }

    /// - Returns: why the process has to be stopped, or nil.
    mutating func objection(to line: LineAssembler.Line) -> ProcessFailure? {
        guard firstViolation == nil else { return nil }
        guard let sentence = violation(in: line) else { return nil }
        let failure = ProcessFailure(code: .protocolViolation, sentence: process.mask.masked(sentence))
        firstViolation = failure
        return failure
    }

    private mutating func violation(in line: LineAssembler.Line) -> String? {
        guard case .complete(let bytes) = line else {
            return "sent a line longer than \(WireLimits.responseLine) bytes"
        }
        switch ServerLine.judge(bytes, knownNotifications: PluginMethod.pluginNotificationNames) {
        case .response(let response): return take(response)
        case .notification(let notification): take(notification)
        case .unknownNotification(let method): warn("sent the unknown notification '\(method)'; it is ignored")
        case .request(let id, let method): return refuse(id, method)
        case .noise(let text): return tolerate(text, byteCount: bytes.count)
        case .violation(let violation): return violation.reason
        }
        return nil
    }

    private func take(_ response: RPCResponse) -> String? {
        switch process.pending.withLock({ $0.receive(response.id) }) {
        case .deliver(let call): call.resolve(.response(response.outcome))
        case .late: break
        case .unknown: return "answered a request '\(response.id)' that is not waiting for an answer"
        }
        return nil
    }

    private func take(_ notification: RPCNotification) {
        let name = process.subject.name
        // What cannot be read says nothing; it is not worth a process.
        if notification.method == PluginMethod.log.name {
            guard let log = try? LogParameters(notification.params) else { return }
            process.emit(.log(plugin: name, level: log.level, message: safe(log.message)))
            return
        }
        guard let progress = try? ProgressParameters(notification.params),
            progress.total.map({ progress.done <= $0 }) ?? true,
            let call = process.pending.withLock({ $0.waiter(for: .text(progress.request)) }), call.touch()
        else { return }
        process.emit(
            .progress(
                plugin: name, request: call.label, done: progress.done, total: progress.total,
                message: progress.message.map(safe)))
    }

    private mutating func tolerate(_ text: String, byteCount: Int) -> String? {
        let isFirst = noise.lineCount == 0
        guard noise.spend(byteCount) else {
            return "printed more than \(NoiseBudget.maximumLineCount) lines or \(NoiseBudget.maximumByteCount) bytes "
                + "on standard output that are no messages; such output belongs on standard error"
        }
        if isFirst {
            warn("prints on standard output what is no message; such output belongs on standard error")
        }
        process.emit(.noise(plugin: process.subject.name, line: process.mask.masked(text)))
        return nil
    }

    private mutating func refuse(_ id: RequestID?, _ method: String) -> String? {
        requestCount += 1
        guard requestCount <= Self.toleratedRequests else {
            return "sent more than \(Self.toleratedRequests) requests; plugins only answer"
        }
        warn("sent the request '\(method)'; plugins only answer")
        let error = RPCError(.methodNotFound, "the host answers no requests in protocol 1")
        let response = RPCResponse(id: id ?? .unknown, outcome: .failure(error))
        // Written only if there is room: the reader of a plugin must never wait for the plugin.
        if let line = try? response.line(maximumByteCount: 4096) { process.input.writeIfReady(line) }
        return nil
    }

    private func warn(_ message: String) {
        process.emit(.warning(plugin: process.subject.name, message: process.mask.masked(message)))
    }

    private func safe(_ text: String) -> String {
        PlainText.oneLine(process.mask.masked(text), maximumByteCount: 8192)
    }
}
