import Glibc

/// Why a call failed, as the host is told.
public struct PluginFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The class, which decides what the host does next.
    public let code: RPCErrorCode
    /// One sentence for people: the object, what happened, what to do.
    public let message: String
    /// More for people: the last lines of a tool.
    public let detail: String?
    /// Overrides what follows from the code.
    public let retryable: Bool?
    /// How long to wait before trying again.
    public let retryAfter: Duration?

    /// A failure with any code; those from 1000 on are the plugin's own.
    public init(
        _ code: RPCErrorCode, _ message: String, detail: String? = nil, retryable: Bool? = nil,
        retryAfter: Duration? = nil
    ) {
        self.code = code
        self.message = message
        self.detail = detail
        self.retryable = retryable
        self.retryAfter = retryAfter
    }

    /// The code and the message.
    public var description: String { "\(code): \(message)" }

    /// The object is positively absent.
    public static func notFound(_ key: ObjectKey) -> PluginFailure {
        PluginFailure(.notFound, "there is no object '\(key)'")
    }
    /// Under `ifAbsent`, an object with other bytes is there.
    public static func conflict(_ key: ObjectKey) -> PluginFailure {
        PluginFailure(.conflict, "the object '\(key)' exists with other content")
    }
    /// A range that reaches beyond the end of an object.
    public static func invalidRange(_ key: ObjectKey, size: Int64) -> PluginFailure {
        PluginFailure(.invalidRange, "the range reaches beyond the \(size) bytes of the object '\(key)'")
    }
    /// Not allowed with these rights, or opened for reading only.
    public static func permissionDenied(_ message: String) -> PluginFailure {
        PluginFailure(.permissionDenied, message)
    }
    /// The outcome is not known, or the store cannot be reached.
    public static func unavailable(_ message: String) -> PluginFailure { PluginFailure(.unavailable, message) }
    /// The bytes are not those that were meant.
    public static func integrity(_ message: String) -> PluginFailure { PluginFailure(.integrity, message) }
    /// The configuration is wrong.
    public static func badConfig(_ message: String) -> PluginFailure { PluginFailure(.badConfig, message) }
    /// The plugin cannot do this, or cannot run here.
    public static func unsupported(_ message: String) -> PluginFailure { PluginFailure(.unsupported, message) }
    /// What a hook or a source had to do failed.
    public static func hookFailed(_ message: String, detail: String? = nil) -> PluginFailure {
        PluginFailure(.hookFailed, message, detail: detail)
    }
    /// The call was cancelled.
    public static func cancelled(_ message: String = "cancelled on request") -> PluginFailure {
        PluginFailure(.cancelled, message)
    }

    /// A system call that failed: no space and quota are `noSpace`; missing rights and read-only file systems are
    /// `permissionDenied`; everything else, a missing file among it, is `unavailable`.
    ///
    /// - Parameters:
    ///   - action: completes "cannot …": `open '/srv/x'`.
    ///   - code: errno, read right after the call.
    public static func system(_ action: String, errno code: Int32) -> PluginFailure {
        let reason = "cannot \(action): \(Self.text(of: code))"
        switch code {
        case ENOSPC, EDQUOT: return PluginFailure(.noSpace, reason)
        case EACCES, EPERM, EROFS: return PluginFailure(.permissionDenied, reason)
        default: return PluginFailure(.unavailable, reason)
        }
    }

    /// The system's words for an error number. Source: man 3 strerror_r, the XSI version.
    public static func text(of code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    var rpcError: RPCError {
        var data = JSONObject()
        data["retryable"] = retryable.map { .bool($0) }
        if let retryAfter {
            let (seconds, attoseconds) = retryAfter.components
            let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1000)
            let sum = overflow ? 0 : milliseconds + attoseconds / 1_000_000_000_000_000
            data["retry_after_ms"] = .integer(min(max(0, sum), 86_400_000))
        }
        data["detail"] = detail.map { .string($0.filter { $0 != "\0" }) }
        return RPCError(code, message, data: data.isEmpty ? nil : data)
    }
}
