/// Where a run stands. The raw value stands in journals and the catalog.
///
/// A snapshot goes queued, planning, then for each application quiescing, capturing, releasing, then storing, recording
/// and one of the final states. A restore goes queued, planning, verifying, safetySnapshot (when asked for), stopping,
/// staging, swapping, starting, checking; after a failure rollingBack; then one of the final states.
package enum RunState: String, Sendable, Hashable, CaseIterable {
    case queued, planning
    case quiescing, capturing, releasing, storing, recording
    case verifying, safetySnapshot, stopping, staging, swapping, starting, checking, rollingBack
    case completed, completedWithWarnings, partiallyFailed, failed, cancelled

    /// True when the run is over and this is its result.
    package var isFinal: Bool {
        switch self {
        case .completed, .completedWithWarnings, .partiallyFailed, .failed, .cancelled: true
        default: false
        }
    }

    /// True while an application of the run may be held still or stopped.
    package var mayHoldApplications: Bool {
        switch self {
        case .quiescing, .capturing, .releasing, .stopping, .staging, .swapping, .starting, .checking, .rollingBack:
            true
        default: false
        }
    }

    /// The exit code of a command whose run ended so and had no more specific reason; nil while the run goes on.
    /// A cancelled run was stopped by Ctrl-C unless the caller knows better.
    package var exitCode: ExitCode? {
        switch self {
        case .completed: .done
        case .completedWithWarnings, .partiallyFailed: .partial
        case .failed: .failed
        case .cancelled: .interrupted
        default: nil
        }
    }

    /// What people read: "completed with warnings".
    package var title: String {
        var words = ""
        for character in rawValue {
            words += character.isUppercase ? " " + character.lowercased() : String(character)
        }
        return words
    }
}
