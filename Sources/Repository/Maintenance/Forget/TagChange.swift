/// A change of tags, as the options of restic's `tag` describe it.
package struct TagChange: Sendable, Hashable {
    /// Replaces all tags; nil leaves those there are.
    package var replacement: [String]?
    /// Added behind the others, unless they are there.
    package var added: [String]
    /// Removed, all of a name.
    package var removed: [String]

    package init(replacement: [String]? = nil, added: [String] = [], removed: [String] = []) {
        self.replacement = replacement
        self.added = added
        self.removed = removed
    }

    /// True when it changes nothing whatever the tags are.
    package var isEmpty: Bool { replacement == nil && added.isEmpty && removed.isEmpty }

    /// The tags afterwards.
    ///
    /// - Parameter isFixed: true for tags that no change touches; they stand in front then.
    package func applied(to tags: [String], isFixed: (String) -> Bool = { _ in false }) -> [String] {
        var result = tags
        if let replacement { result = tags.filter(isFixed) + replacement }
        for tag in added where !result.contains(tag) { result.append(tag) }
        return result.filter { !removed.contains($0) || isFixed($0) }
    }
}
