import Glibc

/// A system call that failed, as the cause of a ``PluginHostError``.
struct SystemCallFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The call and what it was about: "open /run/stillpoint".
    let what: String
    /// errno.
    let code: Int32

    /// Takes errno of the call that just failed.
    static func last(_ what: String) -> SystemCallFailure { SystemCallFailure(what: what, code: errno) }

    /// "open /run/stillpoint: Permission denied".
    var description: String { "\(what): \(reason)" }

    /// The text of errno alone.
    var reason: String { Self.text(code) }

    static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}
