import HostServices
import Repository
import RepositoryFormat

/// All snapshots of a repository, read once for a command that changes them.
struct SnapshotListing {
    /// Oldest first; without those that cannot be read, which were warned of and are left alone.
    let snapshots: [OpenRepository.Snapshot]

    init(_ destination: OpenDestination, _ session: CommandSession) throws {
        snapshots = try destination.repository.snapshots(cancellation: session.cancellation) { id, error in
            session.terminal.warning("The snapshot \(id.short) cannot be read and is left alone: \(error)")
        }
    }

    /// Tells the catalog what there is now. It only remembers the repository: when it cannot be written, nothing is lost.
    func remember(_ present: [OpenRepository.Snapshot], _ host: Host, _ session: CommandSession) {
        do { try host.remember(present) } catch {
            session.terminal.warning(
                "The catalog could not take note of the change, 'stillpoint snapshots' makes up for it: \(error)")
        }
    }
}
