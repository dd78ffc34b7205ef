/// Why JSON text was refused, a value could not be written, or a member was not what a reader expects.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure; more may be added.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The name of the code, for logs.
        public let description: String

        /// The text is longer than ``JSONLimits/maximumByteCount``.
        public static let tooLarge = Code(description: "tooLarge")
        /// The text or the value is nested deeper than ``JSONLimits/maximumDepth``.
        public static let tooDeep = Code(description: "tooDeep")
        /// The text is not one JSON object or array.
        public static let malformed = Code(description: "malformed")
        /// An object names a member twice.
        public static let duplicateMember = Code(description: "duplicateMember")
        /// The value has no JSON text: a NaN, an infinity, a NUL character, a scalar on its own.
        public static let unencodable = Code(description: "unencodable")
        /// A required member is not there.
        public static let missingMember = Code(description: "missingMember")
        /// A member is of another type.
        public static let wrongType = Code(description: "wrongType")
        /// A member has the right type and a value that is not allowed.
        public static let outOfRange = Code(description: "outOfRange")
        /// A member that the reader does not know.
        public static let unknownMember = Code(description: "unknownMember")
    }

    /// The kind of failure.
    public let code: Code
    /// One sentence for people; never contains text of the input other than member names.
    public let message: String
    /// Where: `params.spool.in`, `entries[3].size`; empty for the whole text.
    public let path: String

    /// The message.
    public var description: String { message }

    private init(_ code: Code, path: String = "", _ message: String) {
        self.code = code
        self.path = path
        self.message = message
    }

    static func tooLarge(_ count: Int, maximum: Int) -> JSONError {
        JSONError(.tooLarge, "JSON text of \(count) bytes is longer than the \(maximum) bytes allowed here")
    }

    static func tooDeep(maximum: Int) -> JSONError {
        JSONError(.tooDeep, "JSON is nested deeper than the \(maximum) levels allowed here")
    }

    static func malformed(_ reason: String) -> JSONError {
        JSONError(.malformed, "not valid JSON: \(reason)")
    }

    static func duplicateMember(_ reason: String) -> JSONError {
        JSONError(.duplicateMember, "a JSON object names a member twice: \(reason)")
    }

    static func unencodable(_ reason: String) -> JSONError {
        JSONError(.unencodable, "the value cannot be written as JSON: \(reason)")
    }

    static func missingMember(_ path: String) -> JSONError {
        JSONError(.missingMember, path: path, "'\(path)' is missing")
    }

    static func wrongType(_ path: String, expected: String, found: String) -> JSONError {
        JSONError(.wrongType, path: path, "'\(path)' must be \(expected), not \(found)")
    }

    /// A member whose value breaks a rule; `rule` completes "must be …".
    public static func outOfRange(_ path: String, mustBe rule: String) -> JSONError {
        JSONError(.outOfRange, path: path, "'\(path)' must be \(rule)")
    }

    static func unknownMember(_ path: String, known: [String]) -> JSONError {
        JSONError(
            .unknownMember, path: path,
            "'\(path)' is not known here; known are: \(known.isEmpty ? "none" : known.joined(separator: ", "))")
    }
}
