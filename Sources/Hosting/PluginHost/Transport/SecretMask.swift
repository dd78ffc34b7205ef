import JSON
import Synchronization

/// Replaces secrets in everything that plugins print or report. Safe from all threads.
///
/// A secret of several lines is masked line by line as well, since output is looked at one line at a time, and as it
/// stands in JSON, since a plugin may print the request it got.
package final class SecretMask: Sendable {
    /// Shorter secrets are not masked: they would tear holes into ordinary words. Source: protocol, Secrets.
    package static let minimumByteCount = 4
    private static let replacement = Array("***".utf8)

    // Longest first, so that a secret that contains another is replaced as a whole.
    private let secrets = Mutex<[[UInt8]]>([])

    /// A mask without secrets.
    package init() {}

    /// Adds values; short ones and known ones are ignored.
    package func add(_ values: some Sequence<String>) {
        let candidates = values.flatMap { value in
            [Array(value.utf8), Self.inJSON(value)]
                + value.utf8.split(separator: UInt8(ascii: "\n")).map(Array.init)
        }
        secrets.withLock { secrets in
            for candidate in candidates
            where candidate.count >= Self.minimumByteCount && !secrets.contains(candidate) {
                secrets.append(candidate)
            }
            secrets.sort { $0.count > $1.count }
        }
    }

    /// Length of the longest secret in bytes; 0 without any.
    package var longestByteCount: Int { secrets.withLock { $0.first?.count ?? 0 } }

    /// The bytes with every secret replaced by `***`.
    package func masked(_ bytes: [UInt8]) -> [UInt8] {
        secrets.withLock { $0 }.reduce(bytes) { Self.replacing($1, in: $0) }
    }

    /// The text with every secret replaced by `***`.
    package func masked(_ text: String) -> String {
        guard longestByteCount > 0 else { return text }
        return String(decoding: masked(Array(text.utf8)), as: UTF8.self)
    }

    /// The text between the quotes of a JSON string; empty when it has none.
    private static func inJSON(_ value: String) -> [UInt8] {
        guard let list = try? JSONValue.array([.string(value)]).encoded(ascii: true) else { return [] }
        return Array(list.dropFirst(2).dropLast(2))
    }

    private static func replacing(_ secret: [UInt8], in bytes: [UInt8]) -> [UInt8] {
        guard let first = secret.first, bytes.count >= secret.count else { return bytes }
        var result: [UInt8] = []
        var start = 0
        var search = 0
        while let candidate = bytes[search...].firstIndex(of: first), candidate + secret.count <= bytes.count {
            if bytes[candidate..<candidate + secret.count].elementsEqual(secret) {
                result += bytes[start..<candidate]
                result += replacement
                start = candidate + secret.count
                search = start
            } else {
                search = candidate + 1
            }
        }
        return start == 0 ? bytes : result + bytes[start...]
    }
}
