package import Repository
import RepositoryFormat
package import Retention
import SnapshotModel

extension RetentionCandidate {
    /// What the rules of retention see of a snapshot, with what its tags say about applications.
    package init(_ snapshot: OpenRepository.Snapshot) {
        guard let meaning = SnapshotTags(decoding: snapshot.record.tags) else {
            self.init(id: snapshot.id, record: snapshot.record)
            return
        }
        let applications = meaning.applications.map(\.text)
        let scope: Scope =
            switch meaning.kind {
            case .full: .instance
            case .partial: applications.first.map { .application($0) } ?? .unknown
            }
        self.init(
            id: snapshot.id, record: snapshot.record, groupingTags: meaning.others.filter { $0 != Self.pinTag },
            scope: scope, applications: applications, whole: meaning.run.map { "run \($0)" })
    }
}
