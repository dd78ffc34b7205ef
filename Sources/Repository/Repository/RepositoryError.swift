package import RepositoryFormat

/// What a repository could not do, in a sentence for people.
package struct RepositoryError: Error, CustomStringConvertible {
    /// The closed set of causes; each has its exit code in docs/ExitCodes.md.
    package struct Code: Hashable, Sendable {
        private let name: String
        private init(_ name: String) { self.name = name }
        /// There is no repository at the destination.
        package static let noRepository = Code("noRepository")
        /// There is a repository where a new one was to be made.
        package static let exists = Code("exists")
        /// No key opens with this password.
        package static let wrongPassword = Code("wrongPassword")
        /// Another process holds a lock that excludes ours.
        package static let locked = Code("locked")
        /// Our own lock could not be kept; nothing is written under it any more.
        package static let lockLost = Code("lockLost")
        /// Bytes that are not what they were.
        package static let damaged = Code("damaged")
        /// A snapshot, blob or path that is not there.
        package static let notFound = Code("notFound")
        /// A short id that fits several snapshots.
        package static let ambiguous = Code("ambiguous")
        /// The repository can be read only: format version 1.
        package static let readOnly = Code("readOnly")
        /// A key that is needed: the one in use, or the last one.
        package static let keyInUse = Code("keyInUse")
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?
    /// What is so, without the advice that ``message`` gives: for lists of many such sentences.
    package let statement: String

    private init(_ code: Code, _ message: String, statement: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.statement = statement.map { $0 + "." } ?? message
        self.cause = cause
    }

    package var description: String { message }

    static func noRepository(cause: (any Error)?) -> RepositoryError {
        RepositoryError(
            .noRepository,
            "There is no repository at the destination; check the destination, or make one with 'stillpoint init'.",
            cause: cause)
    }
    static let exists = RepositoryError(
        .exists, "The destination holds a repository already; use it with its password, or choose another place.")
    static func wrongPassword(keyCount: Int) -> RepositoryError {
        RepositoryError(
            .wrongPassword,
            "The password opens none of the repository's \(keyCount) key\(keyCount == 1 ? "" : "s"); check the password."
        )
    }
    static func locked(_ lock: LockDocument, id: ObjectID) -> RepositoryError {
        let exclusively = lock.exclusive ? "exclusively " : ""
        return RepositoryError(
            .locked,
            "The repository is \(exclusively)locked by process \(lock.pid) on \(lock.hostname) (user \(lock.username)) "
                + "since \(lock.time.text), lock \(id.short); wait for it, or run 'stillpoint unlock' if it is dead.")
    }
    /// - Parameter minutes: since the lock was last refreshed.
    static func lockLost(minutes: Int64, cause: any Error) -> RepositoryError {
        RepositoryError(
            .lockLost,
            "The lock on the repository could not be refreshed for \(minutes) minutes (\(clause(cause))), so others may "
                + "have taken it for dead; nothing more is written: run the command again.", cause: cause)
    }
    static let lockRemoved = RepositoryError(.lockLost, "The lock was removed by somebody else.")
    static let changedWhileOpening = RepositoryError(
        .locked, "Somebody else removed data from the repository while it was being opened; run the command again.")
    /// The sentence of a cause as a clause.
    private static func clause(_ cause: any Error) -> String {
        let text = "\(cause)"
        return text.hasSuffix(".") ? String(text.dropLast()) : text
    }
    static func damaged(_ what: String, cause: (any Error)? = nil) -> RepositoryError {
        let reason = cause.map { ": \(clause($0))" } ?? ""
        let statement = "\(what) is damaged\(reason)"
        return RepositoryError(
            .damaged, "\(statement); run 'stillpoint check --read-data' to see the extent.", statement: statement,
            cause: cause)
    }
    static let keysWithoutConfig = RepositoryError(
        .damaged,
        "The destination has keys but no config: the config of a repository was lost, or an 'init' was interrupted; "
            + "restore the config, or remove the folder 'keys' if nothing was ever stored there.")
    /// A blob that a tree or file needs and no index knows: `damaged`.
    package static func missingBlob(_ id: ObjectID, _ kind: BlobKind) -> RepositoryError {
        let statement = "The \(kind.name) blob \(id.hexadecimal) is in no index"
        return RepositoryError(
            .damaged, "\(statement); run 'stillpoint check' to see the extent.", statement: statement)
    }
    /// - Parameter name: as the person gave it: an id, its first digits, or `latest`.
    package static func noSnapshot(_ name: String) -> RepositoryError {
        RepositoryError(.notFound, "No snapshot is named '\(name)'; 'stillpoint snapshots' lists those there are.")
    }
    /// - Parameter matches: all snapshots that the name fits.
    package static func ambiguousSnapshot(_ name: String, _ matches: [ObjectID]) -> RepositoryError {
        RepositoryError(
            .ambiguous,
            "'\(name)' fits \(matches.count) snapshots (\(matches.map(\.short).joined(separator: ", "))); give more digits."
        )
    }
    static func noKey(_ name: String) -> RepositoryError {
        RepositoryError(.notFound, "No key is named '\(name)'; 'stillpoint key list' lists those there are.")
    }
    static func ambiguousKey(_ name: String, _ matches: [ObjectID]) -> RepositoryError {
        let ids = matches.map(\.short).joined(separator: ", ")
        return RepositoryError(
            .ambiguous,
            "'\(name)' fits \(matches.count) keys (\(ids)); give more digits.")
    }
    static func keyInUse(_ id: ObjectID) -> RepositoryError {
        RepositoryError(
            .keyInUse,
            "The key \(id.short) is the one that opened the repository just now; open it with another password to remove "
                + "this key, or run 'stillpoint key passwd' to replace it.")
    }
    static func lastKey(_ id: ObjectID) -> RepositoryError {
        RepositoryError(.keyInUse, "The key \(id.short) is the last one; without it nobody can open the repository.")
    }
    /// - Parameter path: absolute within the snapshot.
    package static func noPath(_ path: String, in snapshot: ObjectID) -> RepositoryError {
        RepositoryError(.notFound, "There is no \(path) in snapshot \(snapshot.short); 'stillpoint ls' shows what is.")
    }
    static let readOnly = RepositoryError(
        .readOnly,
        "The repository has format version 1, which is only read here; 'restic migrate upgrade_repo_v2' updates it.")
}
