import Archiving
import Catalog
import ObjectStorage
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

    /// The documented exit code of an error.
    package static func exitCode(of error: any Error) -> ExitCode {
        switch error {
        case let error as RepositoryError:
            switch error.code {
            case .noRepository: .noRepository
            case .locked: .locked
            case .wrongPassword: .wrongPassword
            case .damaged: .verificationFailed
            default: .failed
            }
        case let error as ObjectStoreError: error.code == .noSpace ? .noSpace : .failed
        case let error as ArchiveError: error.code == .noSpace ? .noSpace : .failed
        case let error as CatalogError: error.code == .noSpace ? .noSpace : .failed
        case let error as PipelineError:
            switch error.code {
            case .quiesceFailed: .quiesceFailed
            case .releaseNotConfirmed: .releaseNotConfirmed
            case .damaged: .verificationFailed
            default: error.cause.map(exitCode(of:)) ?? .failed
            }
        case let error as CancellationFailure:
            if case .signal(let number) = error.reason { ExitCode(signal: number) } else { .interrupted }
        default: .failed
        }
    }
}
