import Catalog
import Archiving
import Glibc
import RepositoryFormat
import SnapshotModel

/// Captures the host's own state for a full snapshot: a consistent copy of the catalog.
struct ConsoleCapture {
    /// The catalog's copy, below `/console/`.
    static let catalogName = "catalog.sqlite3"

    let host: PipelineHost
    let archiver: Archiver

    func run(_ run: RunID) throws -> [(name: String, node: TreeNode)] {
        let copy = "\(host.scratchDirectory)/catalog-\(run).sqlite3"
        defer { unlink(copy) }
        try host.catalog.backup(to: copy)
        return [(Self.catalogName, try archiver.archive(path: copy, as: Self.catalogName))]
    }
}
