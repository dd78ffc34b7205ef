import Archiving
import Catalog
import JSONRPC
import Maintenance
import ObjectStorage
import PluginHost
import PluginProtocol
import Repository
package import SnapshotModel
package import Threads

/// Maps errors to the documented exit codes; the one table for all pipelines and commands (docs/ExitCodes.md).
package enum RunFailure {
    /// How a run that ended with `error` is recorded.
    package static func classified(
        _ error: any Error, cancellation: Cancellation
    ) -> (state: RunState, exitCode: ExitCode, message: String) {
        if let skipped = error as? ApplicationSkipped {
            return (.completed, .skipped, "Skipped: \(skipped.reason)")
        }
        if cancellation.isCancelled {
            if case .signal(let number) = cancellation.reason ?? .requested {
                return (
                    .cancelled, ExitCode(signal: number), "Stopped by signal \(number); every application was released."
                )
            }
            return (.cancelled, .interrupted, "Cancelled; every application was released.")
        }
        return (.failed, exitCode(of: error), "\(error)")
    }

    /// The documented exit code of an error. A full disk is told as such wherever it was met.
    package static func exitCode(of error: any Error) -> ExitCode {
        switch error {
        case let error as RepositoryError: exitCode(of: error)
        case let error as ObjectStoreError: error.code == .noSpace ? .noSpace : cause(error.cause)
        case let error as MaintenanceError:
            error.code == .damaged ? .verificationFailed : cause(error.cause)
        case let error as ArchiveError:
            error.code == .noSpace ? .noSpace : error.code == .damaged ? .verificationFailed : .failed
        case let error as CatalogError: error.code == .noSpace ? .noSpace : .failed
        case let error as JournalError: error.code == .noSpace ? .noSpace : cause(error.cause)
        case let error as LeaseError: cause(error.cause)
        case let error as PluginHostError: error.remote?.code == .noSpace ? .noSpace : cause(error.cause)
        case let error as PipelineError: exitCode(of: error)
        case let error as CancellationFailure:
            if case .signal(let number) = error.reason { ExitCode(signal: number) } else { .interrupted }
        default: .failed
        }
    }

    private static func exitCode(of error: RepositoryError) -> ExitCode {
        switch error.code {
        case .noRepository: .noRepository
        case .locked: .locked
        case .wrongPassword: .wrongPassword
        case .damaged: .verificationFailed
        default: .failed
        }
    }

    private static func exitCode(of error: PipelineError) -> ExitCode {
        switch error.code {
        case .quiesceFailed: cause(error.cause) == .noSpace ? .noSpace : .quiesceFailed
        case .releaseNotConfirmed: .releaseNotConfirmed
        case .damaged: .verificationFailed
        case .busy: .locked
        default: cause(error.cause)
        }
    }

    private static func cause(_ cause: (any Error)?) -> ExitCode { cause.map(exitCode(of:)) ?? .failed }
}
