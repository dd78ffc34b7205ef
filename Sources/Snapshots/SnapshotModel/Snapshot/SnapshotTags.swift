/// What the tags of a restic snapshot say about it: `stillpoint`, `kind:`, `app:`, `trigger:`, `consistency:`, `run:`.
///
/// Tags are the only part of a snapshot that a listing has without reading the tree, in our catalog as in stock restic.
package struct SnapshotTags: Sendable, Hashable {
    /// Full or partial.
    package var kind: SnapshotKind
    /// The applications in the snapshot, in its order.
    package var applications: [ApplicationName]
    /// Who started it; nil when a newer version wrote something that this one does not know.
    package var trigger: Trigger?
    /// The worst of its applications; nil as for the trigger.
    package var consistency: Consistency?
    /// The run that made it; nil as for the trigger.
    package var run: RunID?
    /// Tags of the user's own, and those that this version does not know.
    package var others: [String]

    /// Everything that we say about a snapshot.
    package init(
        kind: SnapshotKind, applications: [ApplicationName], trigger: Trigger?, consistency: Consistency?, run: RunID?,
        others: [String] = []
    ) {
        self.kind = kind
        self.applications = applications
        self.trigger = trigger
        self.consistency = consistency
        self.run = run
        self.others = others
    }

    /// The tag that marks a snapshot as ours.
    package static let marker = "stillpoint"

    /// The tags in their order: marker, kind, applications, trigger, consistency, run, others.
    package var encoded: [String] {
        var tags = [Self.marker, "kind:\(kind.rawValue)"]
        tags += applications.map { "app:\($0)" }
        if let trigger { tags.append("trigger:\(trigger.rawValue)") }
        if let consistency { tags.append("consistency:\(consistency.rawValue)") }
        if let run { tags.append("run:\(run)") }
        return tags + others
    }

    /// Reads tags in any order; nil when the snapshot is not ours: without the marker or without a known kind.
    /// What is malformed or unknown is kept in ``others``; of two tags with one prefix the first counts.
    package init?(decoding tags: [String]) {
        guard tags.contains(Self.marker) else { return nil }
        var kind: SnapshotKind?
        var applications: [ApplicationName] = []
        var trigger: Trigger?
        var consistency: Consistency?
        var run: RunID?
        var others: [String] = []
        var markers = 0
        for tag in tags {
            if tag == Self.marker {
                markers += 1
                if markers == 1 { continue }
            }
            let value = tag.firstIndex(of: ":").map { String(tag[tag.index(after: $0)...]) } ?? ""
            if tag.hasPrefix("kind:"), kind == nil, let known = SnapshotKind(rawValue: value) {
                kind = known
            } else if tag.hasPrefix("app:"), Slug.isValid(value) {
                applications.append(ApplicationName(valid: value))
            } else if tag.hasPrefix("trigger:"), trigger == nil, let known = Trigger(rawValue: value) {
                trigger = known
            } else if tag.hasPrefix("consistency:"), consistency == nil, let known = Consistency(rawValue: value) {
                consistency = known
            } else if tag.hasPrefix("run:"), run == nil, let known = try? RunID(value) {
                // A malformed id is no reason to lose the snapshot: it stays among the other tags.
                run = known
            } else {
                others.append(tag)
            }
        }
        guard let kind else { return nil }
        self.init(
            kind: kind, applications: applications, trigger: trigger, consistency: consistency, run: run,
            others: others)
    }

    /// Checks a tag that a user wants to add.
    ///
    /// - Throws: ``SnapshotModelError`` `malformedTag` for an empty tag, one with a comma (restic separates tags by it),
    ///   a control character, or one that looks like ours.
    package static func validate(userTag tag: String) throws {
        if tag.isEmpty { throw SnapshotModelError.malformedTag(tag, reason: "it is empty") }
        if tag.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            throw SnapshotModelError.malformedTag(tag, reason: "it contains a control character")
        }
        if tag.contains(",") { throw SnapshotModelError.malformedTag(tag, reason: "it contains a comma") }
        let reserved = ["kind:", "app:", "trigger:", "consistency:", "run:"]
        if tag == marker || reserved.contains(where: tag.hasPrefix) {
            throw SnapshotModelError.malformedTag(tag, reason: "stillpoint sets tags of this form itself")
        }
    }
}
