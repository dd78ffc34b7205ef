/// The name of a registered application: a ``Slug``, unique on a host, the same in tags, paths and URLs.
package struct ApplicationName: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The slug.
    package let text: String

    /// - Throws: ``SnapshotModelError`` `malformedName` when `text` is not a ``Slug``.
    package init(_ text: String) throws {
        guard Slug.isValid(text) else { throw SnapshotModelError.malformedName(text, of: "an application") }
        self.text = text
    }

    /// For names that were checked before.
    init(valid text: String) { self.text = text }

    /// The slug.
    package var description: String { text }

    /// By bytes.
    package static func < (left: ApplicationName, right: ApplicationName) -> Bool { left.text < right.text }
}
