import CLinux
import GRDB
import Glibc

/// Why the catalog could not be opened, read or written.
package struct CatalogError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure; more may be added.
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The name of the code, for logs.
        package let description: String

        /// The file is no SQLite database, its pages are damaged, or a value in it has no meaning.
        package static let damaged = Code(description: "damaged")
        /// A newer version has changed the tables.
        package static let newerSchema = Code(description: "newerSchema")
        /// Another process kept the catalog locked for longer than we wait.
        package static let busy = Code(description: "busy")
        /// There is no space left on the file system.
        package static let noSpace = Code(description: "noSpace")
        /// The file or its directory cannot be made, opened, read or written.
        package static let inaccessible = Code(description: "inaccessible")
        /// There is nothing of that name.
        package static let notFound = Code(description: "notFound")
        /// A shortened id fits several.
        package static let ambiguous = Code(description: "ambiguous")
    }

    /// The kind of failure.
    package let code: Code
    /// One sentence: the object, what happened, what to do.
    package let message: String
    /// What SQLite or the system said.
    package let cause: (any Error)?

    /// The message, and the cause where there is one.
    package var description: String { cause.map { "\(message) (\($0))" } ?? message }

    private init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    static func damaged(_ path: String, cause: any Error) -> CatalogError {
        CatalogError(
            .damaged,
            "The catalog \(path) is damaged; move it away and list the snapshots again, which rebuilds it from the "
                + "repository, or restore the console from a full snapshot", cause: cause)
    }

    static func damaged(_ path: String, finding: String) -> CatalogError {
        CatalogError(.damaged, "The catalog \(path) is damaged: \(finding)")
    }

    static func newerSchema(_ path: String) -> CatalogError {
        CatalogError(.newerSchema, "The catalog \(path) was changed by a newer version of stillpoint; use that one")
    }

    static func inaccessible(_ path: String, _ action: String, cause: any Error) -> CatalogError {
        CatalogError(.inaccessible, "Cannot \(action) the catalog \(path)", cause: cause)
    }

    static func notFound(_ what: String, hint: String? = nil) -> CatalogError {
        CatalogError(.notFound, "There is no \(what)\(hint.map { "; \($0)" } ?? "")")
    }

    static func ambiguous(_ what: String, _ prefix: String, _ candidates: [String]) -> CatalogError {
        let shown = candidates.prefix(5).joined(separator: ", ")
        let more = candidates.count > 5 ? ", …" : ""
        return CatalogError(.ambiguous, "'\(prefix)' fits several \(what): \(shown)\(more); give more of the id")
    }

    /// Whatever came out of a database operation, as an error of the catalog.
    static func from(_ error: any Error, path: String) -> CatalogError {
        if let error = error as? CatalogError { return error }
        guard let failure = error as? DatabaseError else { return inaccessible(path, "use", cause: error) }
        switch failure.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT: return damaged(path, cause: failure)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return CatalogError(
                .busy, "Another process has kept the catalog \(path) locked; try again when it is done", cause: failure)
        case .SQLITE_FULL:
            return CatalogError(.noSpace, "There is no space left for the catalog \(path)", cause: failure)
        // A full disk shows as an I/O error where the files of the WAL cannot grow.
        case .SQLITE_IOERR, .SQLITE_CANTOPEN:
            guard clinux_free_bytes(path) < 1 << 16 else { return inaccessible(path, "use", cause: failure) }
            return CatalogError(
                .noSpace, "There is no space left for the catalog \(path); free some", cause: failure)
        default: return inaccessible(path, "use", cause: failure)
        }
    }
}

/// A failed system call. Source of the texts: strerror(3).
struct SystemCallFailure: Error, CustomStringConvertible {
    let call: String
    let number: Int32
    var description: String { "\(call): \(String(cString: strerror(number)))" }
}
