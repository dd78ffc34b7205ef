package import JSONRPC

extension PluginHostError {
    /// The plugin's own error.
    package static func remote(_ subject: PluginSubject, request: String, error remote: RPCError) -> PluginHostError {
        let detail = remote.detail.map { " (\(PlainText.oneLine($0, maximumByteCount: 2048)))" } ?? ""
        var error = PluginHostError(
            .remote, "\(subject.title) answered \(request) with \(remote)\(detail)", subject: subject)
        error.request = request
        error.remote = remote
        error.retryable = remote.retryable ?? (remote.code.retryRule == .withBackoff)
        return error
    }

    /// An answer that cannot be: `sentence` completes "plugin … ".
    static func violation(
        _ subject: PluginSubject, request: String, _ sentence: String, cause: (any Error)? = nil
    ) -> PluginHostError {
        var error = PluginHostError(
            .protocolViolation, "\(subject.title) \(sentence) (\(request))", subject: subject, cause: cause)
        error.request = request
        return error
    }

    /// Bytes that are not those that were announced: `sentence` completes "plugin … ".
    static func integrity(_ subject: PluginSubject, request: String, _ sentence: String) -> PluginHostError {
        var error = PluginHostError(.integrity, "\(subject.title) \(sentence) (\(request))", subject: subject)
        error.request = request
        error.retryable = true
        return error
    }

    /// A request that has no line.
    static func unsendable(_ subject: PluginSubject, request: String, cause: any Error) -> PluginHostError {
        var error = PluginHostError(
            .invalidConfiguration, "\(request) cannot be sent to \(subject.title)", subject: subject, cause: cause)
        error.request = request
        return error
    }
}
