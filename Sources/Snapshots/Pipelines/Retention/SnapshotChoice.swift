package import Repository
import RepositoryFormat
package import Retention

/// The snapshots that somebody means: by their names, or by what they have in common.
package struct SnapshotChoice: Sendable, Hashable {
    /// Ids, first digits of ids, or `latest`; none for all that pass the filter.
    package var names: [String]
    package var filter: SnapshotFilter

    package init(names: [String] = [], filter: SnapshotFilter = SnapshotFilter()) {
        self.names = names
        self.filter = filter
    }

    /// Finds them; each once, in the order named, or oldest first.
    ///
    /// `latest` is the newest that passes the filter; without hosts in it, the newest of this host where it has one.
    ///
    /// - Parameters:
    ///   - snapshots: all of the repository, oldest first.
    ///   - hostname: this host's.
    /// - Throws: `RepositoryError`: `notFound`, `ambiguous`.
    package func found(
        in snapshots: [OpenRepository.Snapshot], hostname: String
    ) throws -> [OpenRepository.Snapshot] {
        let passing = snapshots.filter { filter.passes(RetentionCandidate($0)) }
        guard !names.isEmpty else { return passing }
        var found: [OpenRepository.Snapshot] = []
        for name in names {
            var snapshot: OpenRepository.Snapshot
            if name == "latest" {
                let own = filter.hosts.isEmpty ? passing.filter { $0.record.hostname == hostname } : []
                snapshot = try (own.isEmpty ? passing : own).named(name)
            } else {
                snapshot = try snapshots.named(name)
            }
            if !found.contains(where: { $0.id == snapshot.id }) { found.append(snapshot) }
        }
        return found
    }
}
