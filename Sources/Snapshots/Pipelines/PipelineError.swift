/// Why a run could not do what it was asked to.
package struct PipelineError: Error, CustomStringConvertible {
    /// The closed set of causes.
    package struct Code: Hashable, Sendable {
        private let name: String
        private init(_ name: String) { self.name = name }
        /// The request names something that is not there, or asks for what makes no sense.
        package static let badRequest = Code("badRequest")
        /// An application could not be brought to its still point.
        package static let quiesceFailed = Code("quiesceFailed")
        /// An application may still be held: somebody must look.
        package static let releaseNotConfirmed = Code("releaseNotConfirmed")
        /// Nothing of what was asked for could be captured or restored.
        package static let nothingDone = Code("nothingDone")
        /// A snapshot holds less than the restore needs.
        package static let incompleteSnapshot = Code("incompleteSnapshot")
        /// Data in the repository is damaged; nothing was changed.
        package static let damaged = Code("damaged")
        /// Another run works on the same application.
        package static let busy = Code("busy")
        /// Files on this machine could not be written or exchanged.
        package static let unwritable = Code("unwritable")
    }

    package let code: Code
    /// One sentence that names the object, what happened and what to do.
    package let message: String
    package let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { cause.map { "\(message): \($0)" } ?? message }
}
