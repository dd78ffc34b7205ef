package import JSONRPC
import PluginProtocol

/// Why a plugin could not be found, started or called, or how a call failed.
///
/// Conditions that the host found (timeout, death, a broken protocol) never look as if the plugin had reported them:
/// only `remote` carries a plugin's own error.
package struct PluginHostError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure; more may be added.
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        package let description: String

        /// No executable of that name or path.
        package static let notFound = Code(description: "notFound")
        /// Others could have changed the executable, or it is not one.
        package static let unsafeExecutable = Code(description: "unsafeExecutable")
        /// The executable exists and could not be started.
        package static let startFailed = Code(description: "startFailed")
        /// The process ended, or had to be stopped for another call, before it answered.
        package static let died = Code(description: "died")
        /// The plugin did not answer, or did not read, in time.
        package static let timeout = Code(description: "timeout")
        /// The plugin sent what the protocol forbids, or its answer contradicts what it did.
        package static let protocolViolation = Code(description: "protocolViolation")
        /// The plugin cannot be used for this: wrong kind, no common protocol, or it refused `describe` or `open`.
        package static let refused = Code(description: "refused")
        /// The plugin answered with an error; see ``PluginHostError/remote``.
        package static let remote = Code(description: "remote")
        /// The bytes or sizes that arrived are not those that were announced.
        package static let integrity = Code(description: "integrity")
        /// The caller's `Cancellation` fired.
        package static let cancelled = Code(description: "cancelled")
        /// One and the same request ended two processes; it is not sent again.
        package static let poison = Code(description: "poison")
        /// Too many deaths in a short time: the plugin is not started again for this job.
        package static let breakerOpen = Code(description: "breakerOpen")
        /// The configuration breaks the plugin's schema, or does not fit a line.
        package static let invalidConfiguration = Code(description: "invalidConfiguration")
        /// A secret could not be read from its source.
        package static let secretUnavailable = Code(description: "secretUnavailable")
        /// A spool directory or file could not be made, read or found as it should be.
        package static let spool = Code(description: "spool")
        /// The plugin was closed by the host.
        package static let closed = Code(description: "closed")
    }

    /// The kind of failure.
    package let code: Code
    /// One sentence: the plugin, what happened, what to do. Secrets are masked.
    package let message: String
    /// What led to it.
    package let cause: (any Error)?
    /// Name of the plugin; nil when none was found.
    package internal(set) var plugin: String?
    /// Absolute path of its executable.
    package internal(set) var executable: String?
    /// Method and object of the request: `storage.put data/00/…`.
    package internal(set) var request: String?
    /// Exit status of the process, 0...255, when it exited.
    package internal(set) var exitStatus: Int32?
    /// Number of the signal that ended the process, when one did.
    package internal(set) var signal: Int32?
    /// The plugin's last lines on standard error, oldest first, at most 20, masked.
    package internal(set) var lastStandardError: [String] = []
    /// The plugin's own error.
    package internal(set) var remote: RPCError?
    /// Whether the request, or an earlier try of it, may have reached a process. False is certain: no plugin has done
    /// anything of it.
    package internal(set) var mayHaveBeenSent = false
    /// Whether the same request may succeed later, as far as the host can tell.
    package internal(set) var retryable = false

    /// An error about a plugin, or about none.
    package init(_ code: Code, _ message: String, subject: PluginSubject? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
        plugin = subject?.name
        executable = subject?.executable
    }

    /// The message, its cause, and the last lines on standard error, each on a line of its own.
    package var description: String {
        var text = message
        if let cause { text += ": \(cause)" }
        guard !lastStandardError.isEmpty else { return text }
        text += "\nlast lines of '\(plugin ?? "the plugin")' on standard error:"
        for line in lastStandardError { text += "\n  \(line)" }
        return text
    }

    /// Whether the plugin said that the object is positively absent.
    package var isNotFound: Bool { code == .remote && remote?.code == .notFound }

    /// Whether the plugin refused to be opened because the place that its configuration names is positively absent.
    package var isPlaceAbsent: Bool { code == .refused && remote?.code == .notFound }

    /// The plugin's own sentence, without who said it and when.
    package var remoteMessage: String? { remote?.message }
}

/// Which plugin an error, an event or a log line is about.
package struct PluginSubject: Sendable, Hashable {
    /// Short name.
    package let name: String
    /// Absolute path.
    package let executable: String

    /// A plugin by name and path.
    package init(name: String, executable: String) {
        self.name = name
        self.executable = executable
    }

    /// "plugin 'filesystem' (/usr/lib/stillpoint/plugins/stillpoint-storage-filesystem)".
    package var title: String { "plugin '\(name)' (\(executable))" }
}

extension PluginReference {
    var subject: PluginSubject { PluginSubject(name: name, executable: executable) }
}
