/// Why a message cannot be sent, or a call cannot be registered.
package struct FramingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure; more may be added.
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        package let description: String

        /// The line would be longer than the receiver takes.
        package static let lineTooLong = Code(description: "lineTooLong")
        /// A parameter has the name of a member of the message.
        package static let reservedName = Code(description: "reservedName")
        /// A number is not an integer that everybody can read.
        package static let fraction = Code(description: "fraction")
        /// An id is in use.
        package static let duplicateID = Code(description: "duplicateID")
    }

    package let code: Code
    /// One sentence for people.
    package let message: String

    package var description: String { message }

    static func lineTooLong(_ count: Int, maximum: Int, method: String) -> FramingError {
        FramingError(
            code: .lineTooLong,
            message: "the line of '\(method)' has \(count) bytes, more than the \(maximum) allowed; "
                + "shorten its parameters (a long configuration belongs into a file)")
    }

    static func reservedName(_ name: String, method: String) -> FramingError {
        FramingError(
            code: .reservedName,
            message: "a parameter of '\(method)' is called '\(name)', which is the name of a member of the message")
    }

    static func fraction(method: String) -> FramingError {
        FramingError(
            code: .fraction,
            message: "a parameter of '\(method)' holds a number that is not an integer within ±(2^53 − 1); "
                + "write it as a string")
    }

    static func duplicateID(_ id: RequestID) -> FramingError {
        FramingError(code: .duplicateID, message: "a request with the id '\(id)' is already waiting for its response")
    }
}
