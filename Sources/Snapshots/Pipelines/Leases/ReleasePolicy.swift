package import SnapshotModel
import Threads

/// How often and how long a release is tried before it is reported as not confirmed.
package struct ReleasePolicy: Sendable {
    /// The pauses between attempts; one attempt more than pauses is made.
    package var pauses: [Duration]
    /// Waits; replaced by tests.
    package var pause: @Sendable (Duration) -> Void

    /// Pauses as given; waits for real unless told otherwise.
    package init(
        pauses: [Duration], pause: @escaping @Sendable (Duration) -> Void = { ReleasePolicy.wait($0) }
    ) {
        self.pauses = pauses
        self.pause = pause
    }

    /// For a run: seven attempts in 53 seconds. Source: the restart back-off of the plugin host, protocol design 3.15.
    package static let running = ReleasePolicy(
        pauses: [.milliseconds(100), .milliseconds(500), .seconds(2), .seconds(5), .seconds(15), .seconds(30)])

    /// For the start of a command, which somebody waits for: three attempts.
    package static let starting = ReleasePolicy(pauses: [.milliseconds(100), .milliseconds(500)])

    private static func wait(_ duration: Duration) {
        _ = Condition(()).wait(timeout: duration) { _ -> Bool? in nil }
    }
}

/// What came of releasing leases.
package struct ReleaseReport: Sendable {
    /// A lease that is still out.
    package struct Unconfirmed: Sendable, Hashable, CustomStringConvertible {
        /// The lease.
        package let lease: Lease
        /// What was said at the last attempt.
        package let reason: String

        /// One sentence for people.
        package var description: String {
            "The application '\(lease.application)' may still be held by the hook '\(lease.plugin.name)': \(reason)"
        }
    }

    /// The leases that were released, in that order.
    package var released: [Lease] = []
    /// The leases that may still be held. Somebody has to look.
    package var unconfirmed: [Unconfirmed] = []
    /// The first failure to write the journal. The applications were released all the same, and will be again.
    package var journalFailure: (any Error)?

    /// The exit code that the run must end with; nil when everything was released.
    package var exitCode: ExitCode? { unconfirmed.isEmpty ? nil : .releaseNotConfirmed }
}
