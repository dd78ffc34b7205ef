/// Why snapshots cannot be chosen.
package struct RetentionError: Error, CustomStringConvertible {
    /// The closed set of causes.
    package struct Code: Hashable, Sendable {
        private let name: String
        private init(_ name: String) { self.name = name }
        /// A count, a span or a grouping that cannot be read.
        package static let malformed = Code("malformed")
        /// A policy that says nothing about what to keep.
        package static let noRules = Code("noRules")
        /// A policy that would keep nothing of a group.
        package static let keepsNothing = Code("keepsNothing")
    }

    package let code: Code
    /// One sentence that names the object, what happened and what to do.
    package let message: String
    package let cause: (any Error)?

    package var description: String { message }

    private init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    static func malformedCount(_ text: String) -> RetentionError {
        RetentionError(.malformed, "'\(text)' is no count of snapshots; give a whole number, or 'unlimited' for all.")
    }
    static func malformedSpan(_ text: String, _ reason: String) -> RetentionError {
        RetentionError(
            .malformed,
            "'\(text)' is no span of time, \(reason); write years, months, days and hours as in 1y5m7d2h.")
    }
    static func malformedGrouping(_ word: String) -> RetentionError {
        RetentionError(
            .malformed,
            "Snapshots cannot be grouped by '\(word)'; give host, paths, tags and application, separated by commas.")
    }
    /// A policy that says nothing.
    package static let noRules = RetentionError(
        .noRules, "The policy has no rule, so nothing is removed; say what to keep, e.g. with --keep-daily 7.")
    static func keepsNothing(_ group: String, count: Int) -> RetentionError {
        RetentionError(
            .keepsNothing,
            "The policy would remove all \(count) snapshot\(count == 1 ? "" : "s") of the group \(group), so nothing is "
                + "removed; add a rule that keeps one, or name by their ids those that shall go.")
    }
}
