/// Which snapshots are considered at all; nothing set means all.
package struct SnapshotFilter: Sendable, Hashable {
    /// Only those of one of these hosts.
    package var hosts: [String] = []
    /// Only those that have all tags of one of these lists.
    package var tags: [TagList] = []
    /// Only those that have all of these paths, compared as they are written.
    package var paths: [String] = []
    /// Only those that hold one of these applications.
    package var applications: [String] = []

    package init() {}

    /// True when everything passes.
    package var isEmpty: Bool { hosts.isEmpty && tags.isEmpty && paths.isEmpty && applications.isEmpty }

    /// True when the snapshot is considered.
    package func passes(_ candidate: RetentionCandidate) -> Bool {
        (hosts.isEmpty || hosts.contains(candidate.hostname))
            && (tags.isEmpty || tags.contains { $0.fits(candidate.tags) })
            && paths.allSatisfy(candidate.paths.contains)
            && (applications.isEmpty || applications.contains(where: candidate.applications.contains))
    }
}
