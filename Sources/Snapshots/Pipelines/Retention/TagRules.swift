package import Maintenance
import Retention
import SnapshotModel

/// Which tags of a snapshot people may change: those that say what it is are fixed.
package enum TagRules {
    /// The tag that `pin` sets.
    package static let pinTag = RetentionCandidate.pinTag

    /// Checks what somebody wants to set, add or remove.
    ///
    /// - Throws: `SnapshotModelError` `malformedTag` for tags that stillpoint sets itself, and for malformed ones.
    package static func validate(_ change: TagChange) throws {
        for tag in (change.replacement ?? []) + change.added + change.removed {
            try SnapshotTags.validate(userTag: tag)
        }
    }

    /// The tags of a snapshot after a change.
    package static func tags(_ tags: [String], after change: TagChange) -> [String] {
        guard let meaning = SnapshotTags(decoding: tags) else { return change.applied(to: tags) }
        let others = Set(meaning.others)
        return change.applied(to: tags) { !others.contains($0) }
    }
}
