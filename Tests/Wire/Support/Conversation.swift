import CLinux
import Glibc
import JSON
import JSONRPC
import PluginProtocol
import Synchronization

/// The host's side of a conversation with a plugin over two descriptors, with a limit on every wait.
final class Conversation: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private struct State {
        var assembler = LineAssembler(maximumByteCount: WireLimits.responseLine)
        var lines: [[UInt8]] = []
        var nextID = 0
        var isInputOpen = true
        var notifications: [RPCNotification] = []
    }

    private let input: Int32
    private let output: Int32
    private let state = Mutex(State())
    private let limit: Duration = .seconds(60)

    /// - Parameters: input: what the plugin reads; output: what it writes. Both are closed here.
    init(input: Int32, output: Int32) {
        clinux_survive_broken_pipes()
        self.input = input
        self.output = output
    }

    deinit {
        closeInput()
        close(output)
    }

    /// Notifications that came so far.
    var notifications: [RPCNotification] { state.withLock { $0.notifications } }
    /// The messages of the `log` notifications that came so far.
    var logged: [String] {
        notifications.filter { $0.method == "log" }.compactMap { $0.params["message"]?.stringValue }
    }

    func closeInput() {
        let isOpen = state.withLock { state in
            defer { state.isInputOpen = false }
            return state.isInputOpen
        }
        if isOpen { close(input) }
    }

    func write(_ text: String) { write(Array(text.utf8)) }

    func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(input, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// The next line, or nil at the end of the output.
    func line() throws -> [UInt8]? {
        let deadline = ContinuousClock.now + limit
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let line = state.withLock({ $0.lines.isEmpty ? nil : $0.lines.removeFirst() }) { return line }
            var poll = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&poll, 1, 100) > 0 else {
                if ContinuousClock.now > deadline { throw Failure(description: "no line from the plugin") }
                continue
            }
            let count = buffer.withUnsafeMutableBytes { read(output, $0.baseAddress, $0.count) }
            guard count > 0 else { return nil }
            state.withLock { state in
                state.assembler.append(Array(buffer[..<count]))
                while let line = state.assembler.next() {
                    if case .complete(let bytes) = line { state.lines.append(bytes) }
                }
            }
        }
    }

    /// The next response; notifications before it are kept.
    func response() throws -> RPCResponse? {
        while let line = try line() {
            switch ServerLine.judge(line, knownNotifications: PluginMethod.pluginNotificationNames) {
            case .response(let response): return response
            case .notification(let notification): state.withLock { $0.notifications.append(notification) }
            case let other: throw Failure(description: "unexpected line: \(other)")
            }
        }
        return nil
    }

    /// Waits for a notification of the log that contains `text`.
    func waitForLog(_ text: String) throws {
        while !logged.contains(where: { $0.contains(text) }) {
            guard let line = try line() else {
                throw Failure(description: "the plugin ended without the log '\(text)'")
            }
            guard
                case .notification(let notification) = ServerLine.judge(
                    line, knownNotifications: PluginMethod.pluginNotificationNames)
            else { throw Failure(description: "a response before the log '\(text)'") }
            state.withLock { $0.notifications.append(notification) }
        }
    }

    /// Sends a request and returns its id.
    @discardableResult
    func send(_ method: String, _ params: JSONObject) throws -> String {
        let id = state.withLock { state in
            state.nextID += 1
            return "t\(state.nextID)"
        }
        write(try RPCRequest(id: .text(id), method: method, params: params).canonicalLine())
        return id
    }

    func notify(_ method: String, _ params: JSONObject) throws {
        write(try RPCNotification(method: method, params: params).canonicalLine())
    }

    /// Sends a request and waits for its response.
    func call(_ method: String, _ params: JSONObject = [:]) throws -> JSONObject {
        let id = try send(method, params)
        guard let response = try response() else { throw Failure(description: "the plugin ended during \(method)") }
        guard response.id == .text(id) else {
            throw Failure(description: "response to \(response.id) instead of \(id)")
        }
        return try response.outcome.get()
    }

    /// Sends a request that must fail, and returns the code; nil when it succeeded.
    func failure(_ method: String, _ params: JSONObject = [:]) throws -> RPCError? {
        do {
            _ = try call(method, params)
            return nil
        } catch let error as RPCError { return error }
    }

    /// Opens the plugin with a spool below `spool`.
    @discardableResult
    func open(_ config: JSONObject, mode: String = "rw", spool: String = "/tmp/none") throws -> JSONObject {
        try call(
            "open",
            [
                "instance": "test", "mode": .string(mode),
                "spool": [
                    "in": .string(spool + "/in"), "out": .string(spool + "/out"), "tmp": .string(spool + "/tmp"),
                ],
                "config": .object(config),
            ])
    }
}
