/// Bytes that are not what restic's format says they should be.
package struct FormatError: Error, Equatable, CustomStringConvertible {
    /// What was being decoded: "tree", "index", "pack header", "snapshot", "config", "key", "lock".
    package let object: String
    /// What is wrong with it, one clause.
    package let problem: String

    package var description: String { "The \(object) cannot be decoded: \(problem)." }

    package init(_ object: String, _ problem: String) {
        self.object = object
        self.problem = problem
    }
}
