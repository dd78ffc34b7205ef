package import SnapshotModel

/// Why a lease could not be had. Whatever it says, ``FreezeLeases`` knows what is out and releases it.
package struct LeaseError: Error, CustomStringConvertible {
    /// The kinds of failure; more may be added.
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The name of the code, for logs.
        package let description: String

        /// The promise could not be made durable; nothing was sent, or what was sent must be released.
        package static let notRecorded = Code(description: "notRecorded")
        /// The plugin could not be started or refused its configuration; nothing was sent.
        package static let notSent = Code(description: "notSent")
        /// The hook failed, died, or did not answer in time.
        package static let failed = Code(description: "failed")
        /// The application is being released, or was: it may not be held again by this run.
        package static let releasing = Code(description: "releasing")
    }

    /// The kind of failure.
    package let code: Code
    /// The application that was to be held.
    package let application: ApplicationName
    /// The plugin.
    package let plugin: String
    /// One sentence: the object, what happened, what to do.
    package let message: String
    /// What the layer below said.
    package let cause: (any Error)?

    /// The message, and the cause where there is one.
    package var description: String { cause.map { "\(message): \($0)" } ?? message }

    private init(_ code: Code, _ lease: Lease, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        application = lease.application
        plugin = lease.plugin.name
        self.message = message
        self.cause = cause
    }

    static func notRecorded(_ lease: Lease, cause: any Error) -> LeaseError {
        LeaseError(
            .notRecorded, lease,
            "The application '\(lease.application)' is not held, because that could not be recorded",
            cause: cause)
    }

    static func notSent(_ lease: Lease, cause: any Error) -> LeaseError {
        LeaseError(
            .notSent, lease, "The hook '\(lease.plugin.name)' of '\(lease.application)' could not be started",
            cause: cause)
    }

    static func failed(_ lease: Lease, cause: any Error) -> LeaseError {
        LeaseError(
            .failed, lease, "The hook '\(lease.plugin.name)' of '\(lease.application)' failed at \(lease.pair.pre)",
            cause: cause)
    }

    static func releasing(_ lease: Lease) -> LeaseError {
        LeaseError(
            .releasing, lease,
            "The application '\(lease.application)' was released before the hook '\(lease.plugin.name)' could hold it")
    }
}
