/// Why the host could not be set up for a command.
package struct ServiceError: Error, CustomStringConvertible {
    /// The closed set of causes.
    package struct Code: Hashable, Sendable {
        private let name: String
        private init(_ name: String) { self.name = name }
        /// An option, a variable or a setting has a value that cannot be used.
        package static let badValue = Code("badValue")
        /// There is no state directory, destination or password yet.
        package static let notSetUp = Code("notSetUp")
        /// The place that the destination names is positively absent: no directory, no bucket.
        package static let noPlace = Code("noPlace")
        /// A file or directory of the host cannot be read or written.
        package static let inaccessible = Code("inaccessible")
        /// Others can read what only we may.
        package static let exposed = Code("exposed")
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { cause.map { "\(message): \($0)" } ?? message }
}
