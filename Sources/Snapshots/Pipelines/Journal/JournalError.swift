import Glibc

/// Why the journal of a run could not be made, written or read.
package struct JournalError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure; more may be added.
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The name of the code, for logs.
        package let description: String

        /// A system call failed.
        package static let system = Code(description: "system")
        /// The file system has no space left.
        package static let noSpace = Code(description: "noSpace")
        /// There is no journal of that run.
        package static let notFound = Code(description: "notFound")
        /// An earlier failure has left it unknown what is on the disk; the journal takes no more promises.
        package static let broken = Code(description: "broken")
        /// An event is longer than a line may be.
        package static let tooLarge = Code(description: "tooLarge")
        /// The journal was closed.
        package static let closed = Code(description: "closed")
    }

    /// The kind of failure.
    package let code: Code
    /// One sentence: the object, what happened, what to do.
    package let message: String
    /// What the system or a layer below said.
    package let cause: (any Error)?

    /// The message, and the cause where there is one.
    package var description: String { cause.map { "\(message): \($0)" } ?? message }

    private init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// A system call on a path failed with an error number of errno(3).
    package static func system(_ action: String, _ path: String, number: Int32) -> JournalError {
        let code: Code =
            switch number {
            case ENOSPC, EDQUOT: .noSpace
            case ENOENT: .notFound
            default: .system
            }
        return JournalError(code, "Cannot \(action) \(path): \(String(cString: strerror(number)))")
    }

    static func broken(_ path: String, cause: any Error) -> JournalError {
        JournalError(.broken, "The journal \(path) can no longer be trusted after an earlier failure", cause: cause)
    }

    static func tooLarge(_ path: String, byteCount: Int) -> JournalError {
        JournalError(.tooLarge, "An event of \(byteCount) bytes is too long for the journal \(path)")
    }

    static func closed(_ path: String) -> JournalError {
        JournalError(.closed, "The journal \(path) is closed already")
    }
}
