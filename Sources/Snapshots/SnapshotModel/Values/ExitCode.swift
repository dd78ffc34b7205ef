/// The exit codes of every command: promised to scripts, never reused with another meaning.
package enum ExitCode: Int32, Sendable, Hashable, CaseIterable {
    /// Everything that was asked for was done.
    case done = 0
    /// It failed, for a reason without a code of its own.
    case failed = 1
    /// The command line, the environment or a configuration file is wrong; nothing was done.
    case usage = 2
    /// Done in part: warnings name what is missing.
    case partial = 3
    /// There is no repository in the destination.
    case noRepository = 10
    /// Somebody else holds a lock that excludes this.
    case locked = 11
    /// No key of the repository opens with this password.
    case wrongPassword = 12
    /// An application could not be brought to its still point.
    case quiesceFailed = 20
    /// An application may still be held: its release was not confirmed. Must wake somebody.
    case releaseNotConfirmed = 21
    /// A rehearsal did not prove the snapshot.
    case rehearsalFailed = 22
    /// Stored data is not what it should be.
    case verificationFailed = 24
    /// No space left where something had to be written.
    case noSpace = 25
    /// The license does not allow it.
    case license = 26
    /// Nothing to do, on purpose: a hook said skip, or another run does the same.
    case skipped = 75
    /// Stopped by SIGINT, Ctrl-C. Source: POSIX shells report 128 + signal number.
    case interrupted = 130
    /// Stopped by SIGTERM.
    case terminated = 143

    /// The name in documentation and JSON: `release-not-confirmed`.
    package var name: String {
        switch self {
        case .done: "done"
        case .failed: "failed"
        case .usage: "usage"
        case .partial: "partial"
        case .noRepository: "no-repository"
        case .locked: "locked"
        case .wrongPassword: "wrong-password"
        case .quiesceFailed: "quiesce-failed"
        case .releaseNotConfirmed: "release-not-confirmed"
        case .rehearsalFailed: "rehearsal-failed"
        case .verificationFailed: "verification-failed"
        case .noSpace: "no-space"
        case .license: "license"
        case .skipped: "skipped"
        case .interrupted: "interrupted"
        case .terminated: "terminated"
        }
    }

    /// The code of a command that a signal stopped: 2 and 15 have their own, any other is a failure.
    package init(signal: Int32) {
        switch signal {
        case 2: self = .interrupted
        case 15: self = .terminated
        default: self = .failed
        }
    }
}
