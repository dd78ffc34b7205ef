import PluginProtocol
import Pipelines
import SnapshotModel

/// Journal events as lines for people.
enum EventText {
    static func line(_ event: RunEvent) -> String {
        switch event {
        case .opened(let header):
            "begin      \(header.kind.rawValue) by \(header.trigger.rawValue), stillpoint \(header.programVersion)"
        case .phase(let phase, let application): "phase      \(application.map { "\($0): " } ?? "")\(phase.title)"
        case .progress(let progress): "progress   \(progress.entries) entries, \(Units.bytes(progress.bytes))"
        case .hookOutput(let output): "output     [\(output.plugin) \(output.stream)] \(output.line)"
        case .warning(let warning):
            "warning    \(warning.application.map { "\($0): " } ?? "")\(warning.path.map { "\($0): " } ?? "")\(warning.message)"
        case .error(let message, let application): "error      \(application.map { "\($0): " } ?? "")\(message)"
        case .leaseIntended(let lease):
            "lease \(lease.id)    \(lease.application): \(lease.pair.pre.rawValue) is sent to '\(lease.plugin.name)'"
        case .leaseAcknowledged(let lease, let action, let reason, _):
            "lease \(lease)    answered: \(action)\(reason.map { ", \($0)" } ?? "")"
        case .leasePreFailed(let lease, let message): "lease \(lease)    failed: \(message)"
        case .leaseWithdrawn(let lease, let message): "lease \(lease)    never reached its plugin: \(message)"
        case .leaseReleased(let lease, let attempt, let outcome):
            "lease \(lease)    released (\(outcome), attempt \(attempt))"
        case .leaseReleaseFailed(let lease, let attempt, let message):
            "lease \(lease)    not released at attempt \(attempt): \(message)"
        case .restoreStaged(let record): "stage \(record.number)    \(record.target) is built in \(record.stage)"
        case .restoreSwapping(let record): "stage \(record.number)    is exchanged with \(record.target)"
        case .restoreKept(let application): "keep       \(application): everything is in place"
        case .restoreCleared(let number): "stage \(number)    nothing is left beside it"
        case .snapshotRecorded(let id, _): "snapshot   \(id)"
        case .finished(let state, let exitCode, let message):
            "end        \(state.title), exit code \(exitCode.rawValue)\(message.map { ": \($0)" } ?? "")"
        case .unknown(let kind, _): "\(kind)"
        }
    }
}
