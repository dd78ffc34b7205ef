/// By what snapshots are divided before a policy is applied to each group for itself.
package struct SnapshotGrouping: Sendable, Hashable, CustomStringConvertible {
    package var byHost: Bool
    package var byPaths: Bool
    package var byTags: Bool
    package var byApplication: Bool

    /// Without anything all snapshots are one group.
    package init(byHost: Bool = false, byPaths: Bool = false, byTags: Bool = false, byApplication: Bool = false) {
        (self.byHost, self.byPaths, self.byTags, self.byApplication) = (byHost, byPaths, byTags, byApplication)
    }

    /// restic's: by host and paths. The paths of a partial snapshot name its application.
    package static let standard = SnapshotGrouping(byHost: true, byPaths: true)

    /// Reads `host`, `paths`, `tags` and `application`, in plural or singular, separated by commas; nothing groups nothing.
    ///
    /// - Throws: ``RetentionError/Code/malformed``.
    package init(_ text: String) throws {
        self.init()
        for word in text.split(separator: ",") {
            switch word {
            case "host", "hosts": byHost = true
            case "path", "paths": byPaths = true
            case "tag", "tags": byTags = true
            case "application", "applications": byApplication = true
            default: throw RetentionError.malformedGrouping(String(word))
            }
        }
    }

    package var description: String {
        [(byHost, "host"), (byPaths, "paths"), (byTags, "tags"), (byApplication, "application")].filter(\.0).map(\.1)
            .joined(separator: ",")
    }

    /// What the snapshots of a group have in common; nil for what they are not grouped by.
    package struct Key: Sendable, Hashable, CustomStringConvertible {
        package let host: String?
        /// Sorted.
        package let paths: [String]?
        /// Sorted.
        package let tags: [String]?
        package let scope: RetentionCandidate.Scope?

        package var description: String {
            var parts: [String] = []
            if let host { parts.append("host \(host)") }
            if let scope { parts.append(scope == .instance ? "full snapshots" : "application \(scope)") }
            if let paths { parts.append("paths [\(paths.joined(separator: ", "))]") }
            if let tags { parts.append("tags [\(tags.joined(separator: ", "))]") }
            return parts.isEmpty ? "of all snapshots" : parts.joined(separator: ", ")
        }
    }

    /// The group of a snapshot.
    package func key(of candidate: RetentionCandidate) -> Key {
        Key(
            host: byHost ? candidate.hostname : nil, paths: byPaths ? candidate.paths.sorted() : nil,
            tags: byTags ? candidate.groupingTags.sorted() : nil, scope: byApplication ? candidate.scope : nil)
    }
}
