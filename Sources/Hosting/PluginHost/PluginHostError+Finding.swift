import PluginProtocol

extension PluginHostError {
    static func notFound(_ nameOrPath: String, kind: PluginKind, searched: [String]) -> PluginHostError {
        let places = searched.isEmpty ? "no plugin directory is configured" : searched.joined(separator: ", ")
        var error = PluginHostError(
            .notFound, "there is no \(kind.rawValue) plugin '\(nameOrPath)'; searched: \(places)")
        error.plugin = nameOrPath
        return error
    }

    static func unusableName(_ name: String, kind: PluginKind) -> PluginHostError {
        PluginHostError(
            .notFound,
            "'\(name)' is neither an absolute path nor a name of a \(kind.rawValue) plugin "
                + "(letters, digits, '.', '_', '-')")
    }

    static func unsafeExecutable(name: String, path: String, reason: String) -> PluginHostError {
        let subject = PluginSubject(name: name, executable: path)
        return PluginHostError(.unsafeExecutable, "\(subject.title) is not started: \(reason)", subject: subject)
    }

    static func startFailed(_ subject: PluginSubject, _ failure: SpawnFailure) -> PluginHostError {
        PluginHostError(.startFailed, "\(subject.title) could not be started", subject: subject, cause: failure)
    }
}
