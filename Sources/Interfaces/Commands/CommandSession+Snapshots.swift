import HostServices
import Pipelines
import Repository
import RepositoryFormat

extension CommandSession {
    /// All snapshots that can be read, oldest first; the others are warned of.
    func snapshots(_ destination: OpenDestination) throws -> [OpenRepository.Snapshot] {
        try destination.repository.snapshots(cancellation: cancellation) { id, error in
            terminal.warning("The snapshot \(id.short) cannot be read: \(error)")
        }
    }

    /// The snapshot that a person means, see ``Swift/Array/chosen(_:hostname:)``.
    func snapshot(_ name: String, _ destination: OpenDestination, _ host: Host) throws -> OpenRepository.Snapshot {
        try snapshots(destination).chosen(name, hostname: host.pipelines.identity.hostname)
    }
}

extension [OpenRepository.Snapshot] {
    /// The snapshot that a person means: an id, its first digits, `latest`, or `latest~1` for the one before it.
    ///
    /// The latest is the one of this host where it has any: several hosts may share a repository.
    ///
    /// - Parameter self: oldest first.
    /// - Throws: ``RepositoryError``: `notFound`, `ambiguous`.
    func chosen(_ name: String, hostname: String) throws -> OpenRepository.Snapshot {
        guard name == "latest" || name.hasPrefix("latest~") else { return try named(name) }
        let own = filter { $0.record.hostname == hostname }
        let candidates = own.isEmpty ? self : own
        let back = name == "latest" ? 0 : Int(name.dropFirst("latest~".count)) ?? -1
        guard back >= 0, back < candidates.count else { throw RepositoryError.noSnapshot(name) }
        return candidates[candidates.count - 1 - back]
    }
}
