package import PluginProtocol

/// What plugins do besides answering; for logs, progress displays and journals.
///
/// All text is one line, free of control characters, with secrets masked.
package enum PluginEvent: Sendable, Equatable {
    /// A plugin's `log` notification.
    case log(plugin: String, level: PluginLogLevel, message: String)
    /// A line of standard error.
    case standardError(plugin: String, line: String)
    /// A line of standard output that is no message, tolerated within a budget.
    case noise(plugin: String, line: String)
    /// A plugin's `progress` notification; at most 10 a second for each request.
    case progress(plugin: String, request: String, done: Int64, total: Int64?, message: String?)
    /// A process was started; the first one of a plugin as well.
    case started(plugin: String, processID: Int32)
    /// A process ended; `reason` says how.
    case ended(plugin: String, processID: Int32, reason: String)
    /// A new process takes the place of one that died; `reason` says of what it died.
    case restarted(plugin: String, reason: String)
    /// A request is sent again.
    case retried(plugin: String, request: String, attempt: Int, reason: String)
    /// A call is over; see ``PluginCallTrace``.
    case called(PluginCallTrace)
    /// A spool that a host left behind when it was killed was removed.
    case sweptSpool(path: String, killedProcesses: Int)
    /// Something that was ignored and is worth knowing.
    case warning(plugin: String, message: String)
}

/// One call of a plugin, for accounting.
package struct PluginCallTrace: Sendable, Equatable {
    package let plugin: String
    /// Method and object.
    package let request: String
    /// 1 for the first try.
    package let attempt: Int
    /// From the call to the moment its line was written: waiting for a free process included.
    package let queued: Duration
    /// From then to the answer.
    package let worked: Duration
    /// `ok`, or the code of the error.
    package let outcome: String
}
