import Foundation
import Glibc

/// A directory of its own for a test, removed with everything in it when the last reference goes.
package final class TemporaryDirectory: Sendable {
    /// The absolute path, without symbolic links.
    package let path: String

    /// Makes `/tmp/stillpoint-NAME-XXXXXX`, mode 0700.
    package init(_ name: String = "test") throws {
        var template = Array("/tmp/stillpoint-\(name)-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        path = String(cString: made)
    }

    deinit {
        // What cannot be removed is left for the system's own sweep of /tmp; a test must not fail for it.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of `name` within the directory; `name` may have several components.
    package func path(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file, with the directories above it.
    ///
    /// - Returns: its path.
    @discardableResult
    package func write(_ text: String, to name: String) throws -> String {
        try write(Array(text.utf8), to: name)
    }

    /// Writes a file, with the directories above it.
    ///
    /// - Returns: its path.
    @discardableResult
    package func write(_ bytes: [UInt8], to name: String) throws -> String {
        let url = URL(fileURLWithPath: path(name))
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
        return url.path
    }

    /// The bytes of a file.
    package func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
    }

    /// The names in the directory, sorted.
    package func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}
