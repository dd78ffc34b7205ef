/// The number of an error response: the reserved ones of JSON-RPC 2.0 (section 5.1) and those of the plugin protocol.
///
/// Plugins may use numbers from 1000 on for conditions of their own.
public struct RPCErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number on the wire.
    public let rawValue: Int64

    /// Any number; unknown ones are kept.
    public init(rawValue: Int64) { self.rawValue = rawValue }
    private init(_ rawValue: Int64) { self.rawValue = rawValue }

    /// The line is not JSON.
    public static let parseError = RPCErrorCode(-32700)
    /// The message is not a request, or not one that may come now.
    public static let invalidRequest = RPCErrorCode(-32600)
    /// There is no such method here.
    public static let methodNotFound = RPCErrorCode(-32601)
    /// A parameter is missing, unknown, of the wrong type or out of range.
    public static let invalidParams = RPCErrorCode(-32602)
    /// A defect of the program that answers.
    public static let internalError = RPCErrorCode(-32603)

    /// The object is positively absent. Anything unsure is ``unavailable``.
    public static let notFound = RPCErrorCode(1)
    /// Something else is there already.
    public static let conflict = RPCErrorCode(2)
    /// The range reaches beyond the end of the object.
    public static let invalidRange = RPCErrorCode(3)
    /// The operation is not allowed with these rights.
    public static let permissionDenied = RPCErrorCode(4)
    /// The credentials are wrong or have expired.
    public static let unauthenticated = RPCErrorCode(5)
    /// The store, or the quota in it, is full.
    public static let noSpace = RPCErrorCode(6)
    /// The store cannot be reached or the outcome is not known; trying again may help.
    public static let unavailable = RPCErrorCode(7)
    /// Too many requests; wait for `retry_after_ms`.
    public static let rateLimited = RPCErrorCode(8)
    /// The bytes are not those that were meant.
    public static let integrity = RPCErrorCode(9)
    /// The request was cancelled.
    public static let cancelled = RPCErrorCode(10)
    /// The plugin cannot do this, or cannot run here.
    public static let unsupported = RPCErrorCode(11)
    /// The configuration is wrong; only a person can help.
    public static let badConfig = RPCErrorCode(12)
    /// The object is larger than the plugin takes.
    public static let tooLarge = RPCErrorCode(13)
    /// Object lock or an append-only store forbids it.
    public static let retained = RPCErrorCode(14)
    /// What the hook had to do failed.
    public static let hookFailed = RPCErrorCode(15)

    private static let names: [Int64: String] = [
        -32700: "parse_error", -32600: "invalid_request", -32601: "method_not_found", -32602: "invalid_params",
        -32603: "internal_error", 1: "not_found", 2: "conflict", 3: "invalid_range", 4: "permission_denied",
        5: "unauthenticated", 6: "no_space", 7: "unavailable", 8: "rate_limited", 9: "integrity", 10: "cancelled",
        11: "unsupported", 12: "bad_config", 13: "too_large", 14: "retained", 15: "hook_failed",
    ]

    /// The name in the specification, `code N` for others.
    public var description: String { Self.names[rawValue] ?? "code \(rawValue)" }

    /// What the host does after an error with this code when `data.retryable` does not say otherwise.
    public enum RetryRule: Sendable, Hashable {
        /// Trying again cannot help.
        case never
        /// Try again, waiting longer each time (or `retry_after_ms`).
        case withBackoff
        /// Try once more, after `open` with fresh secrets.
        case onceAfterReopening
        /// Try once more, then report corruption.
        case once
        /// The operator's policy of the hook decides.
        case hookPolicy
    }

    /// The rule for this code. Source: protocol/README.md, Errors.
    public var retryRule: RetryRule {
        switch self {
        case .unavailable, .rateLimited: .withBackoff
        case .unauthenticated: .onceAfterReopening
        case .integrity: .once
        case .hookFailed: .hookPolicy
        default: .never
        }
    }
}
