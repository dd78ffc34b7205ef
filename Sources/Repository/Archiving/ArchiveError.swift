import Glibc

/// Why a file tree could not be archived or restored.
package struct ArchiveError: Error, CustomStringConvertible {
    /// The closed set of causes.
    package struct Code: Hashable, Sendable {
        private let name: String
        private init(_ name: String) { self.name = name }
        /// The directory or file itself, the root of the work, cannot be read.
        package static let unreadableRoot = Code("unreadableRoot")
        /// The target of a restore cannot be written.
        package static let unwritable = Code("unwritable")
        /// The file system is full.
        package static let noSpace = Code("noSpace")
        /// Content in the repository that is not what it was.
        package static let damaged = Code("damaged")
    }

    package let code: Code
    package let message: String

    package var description: String { message }

    static func unreadableRoot(_ path: String, _ errno: Int32) -> ArchiveError {
        ArchiveError(code: .unreadableRoot, message: "\(path) cannot be read: \(systemMessage(errno)).")
    }
    /// - Parameter path: absolute within the snapshot.
    static func damaged(_ path: String, _ cause: any Error) -> ArchiveError {
        ArchiveError(code: .damaged, message: "\(path) cannot be read from the repository: \(cause)")
    }
    static func unwritable(_ path: String, _ errno: Int32) -> ArchiveError {
        ArchiveError(
            code: errno == ENOSPC || errno == EDQUOT ? .noSpace : .unwritable,
            message: "\(path) cannot be written: \(systemMessage(errno)).")
    }
}

/// The system's own words for an error number, e.g. "Permission denied".
package func systemMessage(_ code: Int32) -> String { String(cString: strerror(code)) }
