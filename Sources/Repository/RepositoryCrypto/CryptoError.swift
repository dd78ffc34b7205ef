/// What went wrong while sealing, opening or deriving keys.
package struct CryptoError: Error, Equatable, CustomStringConvertible {
    /// The closed set of causes.
    package struct Code: Hashable, Sendable {
        private let name: String
        private init(_ name: String) { self.name = name }
        /// The message authentication code does not match: wrong key or changed bytes.
        package static let unauthenticated = Code("unauthenticated")
        /// Fewer bytes than an empty sealed message has.
        package static let truncated = Code("truncated")
        /// Parameters that the key derivation refuses.
        package static let badParameters = Code("badParameters")
        /// libcrypto failed on input that is right, e.g. for want of memory or randomness.
        package static let libraryFailure = Code("libraryFailure")
    }

    /// The cause.
    package let code: Code
    /// One sentence for people.
    package let message: String

    package var description: String { message }

    static let unauthenticated = CryptoError(
        code: .unauthenticated, message: "The message authentication code does not match: wrong key or damaged data.")
    static func truncated(_ byteCount: Int) -> CryptoError {
        CryptoError(
            code: .truncated, message: "\(byteCount) bytes are too few: a sealed message has at least 32 bytes.")
    }
    static let badParameters = CryptoError(
        code: .badParameters, message: "The key derivation refuses its parameters (N, r, p or length of the salt).")
    static func library(_ call: String) -> CryptoError {
        CryptoError(code: .libraryFailure, message: "libcrypto failed in \(call).")
    }
}
