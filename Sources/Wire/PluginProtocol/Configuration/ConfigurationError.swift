/// Why a configuration, or the schema for it, was refused.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure; more may be added.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The name of the code, for logs.
        public let description: String

        /// The schema uses what cannot be checked.
        public static let invalidSchema = Code(description: "invalidSchema")
        /// The configuration breaks the schema.
        public static let invalidConfiguration = Code(description: "invalidConfiguration")
    }

    /// One thing that is wrong.
    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// The member, such as `config.path`.
        public let path: String
        /// Completes the path to a sentence: "is missing".
        public let reason: String

        /// `'config.path' is missing`
        public var description: String { "'\(path)' \(reason)" }
    }

    /// The kind of failure.
    public let code: Code
    /// Everything that is wrong, in the order of the configuration. Values are never quoted: they may be secrets.
    public let problems: [Problem]

    /// All problems in one line.
    public var description: String { problems.map(\.description).joined(separator: "; ") }

    static func invalidSchema(_ path: String, _ reason: String) -> ConfigurationError {
        ConfigurationError(code: .invalidSchema, problems: [Problem(path: path, reason: reason)])
    }

    static func invalidConfiguration(_ problems: [Problem]) -> ConfigurationError {
        ConfigurationError(code: .invalidConfiguration, problems: problems)
    }
}
