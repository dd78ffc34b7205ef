/// Why maintenance of a repository stopped.
package struct MaintenanceError: Error, CustomStringConvertible {
    /// The closed set of causes.
    package struct Code: Hashable, Sendable {
        private let name: String
        private init(_ name: String) { self.name = name }
        /// Codes of one topic stand beside its errors.
        static func make(_ name: String) -> Code { Code(name) }
        /// Going on would lose data that a snapshot needs.
        package static let refused = Code("refused")
        /// What was asked for by name is not there, or the name fits several.
        package static let notFound = Code("notFound")
    }

    package let code: Code
    /// One sentence that names the object, what happened and what to do.
    package let message: String
    package let cause: (any Error)?

    package var description: String { message }

    init(code: Code, message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension MaintenanceError {
    /// - Parameter name: an id or its first digits.
    static func noPack(_ name: String) -> MaintenanceError {
        MaintenanceError(
            code: .notFound, message: "No index knows a pack '\(name)'; check the id, or run 'stillpoint check'.")
    }
}
