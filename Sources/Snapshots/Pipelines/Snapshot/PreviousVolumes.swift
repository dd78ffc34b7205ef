import Repository
import RepositoryFormat
import SnapshotModel
import Threads

/// Finds what the newest earlier snapshot of this host has of an application, so that unchanged files are not read again.
///
/// Finding nothing, for whatever reason, only costs time.
final class PreviousVolumes {
    private let browser: SnapshotBrowser?
    private let snapshots: [(snapshot: OpenRepository.Snapshot, tags: SnapshotTags)]

    init(_ repository: OpenRepository, cancellation: Cancellation, hostname: String) {
        browser = try? SnapshotBrowser(repository)
        let all = (try? repository.snapshots(cancellation: cancellation) { _, _ in }) ?? []
        snapshots = all.reversed().compactMap { snapshot in
            guard snapshot.record.hostname == hostname, let tags = SnapshotTags(decoding: snapshot.record.tags) else {
                return nil
            }
            return (snapshot, tags)
        }
    }

    /// The nodes of the application's volumes, by name.
    func nodes(of application: ApplicationName) -> [String: TreeNode] {
        guard let browser, let newest = snapshots.first(where: { $0.tags.applications.contains(application) }),
            let folder = try? browser.node(at: "applications/\(application)/volumes", in: newest.snapshot),
            let nodes = try? browser.entries(of: folder)
        else { return [:] }
        var result: [String: TreeNode] = [:]
        for node in nodes { result[node.displayName] = node }
        return result
    }
}
