import JSONRPC

/// Why the host stopped a process; nil when the process ended by itself or was closed in order.
struct ProcessFailure: Sendable {
    /// `protocolViolation`, `timeout` or `died`.
    let code: PluginHostError.Code
    /// Completes "plugin … ".
    let sentence: String
}

/// How a plugin process ended, as far as its calls need to know.
struct ProcessEnding: Sendable {
    /// Exit status, when it exited.
    let exitStatus: Int32?
    /// Number of the signal that ended it.
    let signal: Int32?
    /// What the host had against it.
    let failure: ProcessFailure?
    /// Whether the host closed it because it was no longer needed.
    let wasClosed: Bool
    /// Oldest first, masked.
    let lastStandardError: [String]

    /// "exited with status 3", "was ended by signal 9 (Killed)".
    var how: String {
        if let signal { return "was ended by signal \(signal) (\(SignalName.text(signal)))" }
        if let exitStatus { return "exited with status \(exitStatus)" }
        return "did not end after SIGKILL and was given up"
    }

    /// The error of a call that waited when the process ended.
    func error(_ subject: PluginSubject, request: String) -> PluginHostError {
        let title = subject.title
        var error: PluginHostError
        if let failure {
            error = PluginHostError(failure.code, "\(title) \(failure.sentence); it \(how)", subject: subject)
        } else if wasClosed {
            error = PluginHostError(.closed, "\(title) was closed before it answered \(request)", subject: subject)
        } else {
            error = PluginHostError(.died, "\(title) \(how) before it answered \(request)", subject: subject)
        }
        error.request = request
        error.exitStatus = exitStatus
        error.signal = signal
        error.lastStandardError = lastStandardError
        error.retryable = !wasClosed
        return error
    }
}
