import CLinux
import Glibc
import SnapshotModel

/// Keeps two runs from working on one application at a time: a second pause would end with the first resume, and a
/// snapshot of what is just being restored is neither the old nor the new state.
///
/// An advisory lock, flock(2), on `NAME.lock` beside the journals; it ends with the process, however that ends.
final class ApplicationLock {
    private let descriptor: Int32

    /// Takes the lock without waiting.
    ///
    /// - Throws: ``PipelineError/Code/busy``; ``PipelineError/Code/unwritable`` when there can be no lock file.
    init(_ name: ApplicationName, directory: String) throws {
        let path = "\(directory)/\(name).lock"
        descriptor = clinux_open(path, O_RDWR | O_CREAT | O_CLOEXEC | CLINUX_O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw PipelineError(
                .unwritable, "The lock of '\(name)' cannot be made",
                cause: JournalError.system("make", path, number: errno))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw PipelineError(
                .busy,
                "Another run works on the application '\(name)'; wait until it is done, 'stillpoint runs' shows it.")
        }
    }

    deinit { close(descriptor) }
}
