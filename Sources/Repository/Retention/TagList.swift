/// Tags of which a snapshot has to have all, as restic's options take them: `a,b`.
package struct TagList: Sendable, Hashable, CustomStringConvertible {
    package let tags: [String]

    package init(_ tags: [String]) { self.tags = tags }

    /// - Parameter text: separated by commas, with spaces around them or not. The empty text is the list of the empty tag,
    ///   which fits snapshots without tags.
    package init(_ text: String) {
        tags = text.split(separator: ",", omittingEmptySubsequences: false).map { tag in
            String(tag.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        }
    }

    /// True when `all` has every tag of the list, or nothing where the list names the empty tag.
    package func fits(_ all: [String]) -> Bool {
        for tag in tags {
            if tag.isEmpty, all.isEmpty { return true }
            if !all.contains(tag) { return false }
        }
        return true
    }

    /// As restic shows it: `[a, b]`.
    package var description: String { "[\(tags.joined(separator: ", "))]" }
}
