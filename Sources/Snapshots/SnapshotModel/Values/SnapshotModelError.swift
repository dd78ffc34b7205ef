/// Why a text or a document is not a value of the model. Mistakes in application.yaml are ``ManifestInvalid`` instead.
package struct SnapshotModelError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure; more may be added.
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The name of the code, for logs.
        package let description: String

        /// A name is not a slug.
        package static let malformedName = Code(description: "malformedName")
        /// A run id is not 26 characters of the alphabet.
        package static let malformedRunID = Code(description: "malformedRunID")
        /// A time is not RFC 3339.
        package static let malformedTime = Code(description: "malformedTime")
        /// A tag of the user's would break the list of tags or pretend to be one of ours.
        package static let malformedTag = Code(description: "malformedTag")
        /// A document lacks something without which it cannot be understood.
        package static let malformedDocument = Code(description: "malformedDocument")
        /// A document was written by a newer version in a way that this one would misunderstand.
        package static let unsupportedFormat = Code(description: "unsupportedFormat")
    }

    /// The kind of failure.
    package let code: Code
    /// One sentence: the object, what is wrong, what to do.
    package let message: String
    /// What the parser below said.
    package let cause: (any Error)?

    /// The message, and the cause where there is one.
    package var description: String { cause.map { "\(message): \($0)" } ?? message }

    private init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// Equal code and message; causes are not compared.
    package static func == (left: SnapshotModelError, right: SnapshotModelError) -> Bool {
        left.code == right.code && left.message == right.message
    }

    static func malformedName(_ text: String, of what: String) -> SnapshotModelError {
        SnapshotModelError(.malformedName, "'\(text)' is not a name of \(what): use \(Slug.rule)")
    }

    static func malformedRunID(_ text: String) -> SnapshotModelError {
        SnapshotModelError(
            .malformedRunID, "'\(text)' is not the id of a run: 26 characters of \(RunID.alphabetText) are expected")
    }

    static func malformedTime(_ text: String) -> SnapshotModelError {
        SnapshotModelError(.malformedTime, "'\(text)' is not a time like 2026-11-22T17:16:02.123Z")
    }

    static func malformedTag(_ text: String, reason: String) -> SnapshotModelError {
        SnapshotModelError(.malformedTag, "The tag '\(text)' cannot be used: \(reason)")
    }

    static func malformedDocument(_ what: String, cause: any Error) -> SnapshotModelError {
        SnapshotModelError(.malformedDocument, "\(what) cannot be read", cause: cause)
    }

    static func unsupportedFormat(_ what: String, format: Int64, newest: Int64) -> SnapshotModelError {
        SnapshotModelError(
            .unsupportedFormat,
            "\(what) has format \(format), this version reads up to \(newest); use a newer stillpoint")
    }
}
