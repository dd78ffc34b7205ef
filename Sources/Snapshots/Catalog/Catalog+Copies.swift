import GRDB
import Glibc

extension Catalog {
    /// Writes a copy of the catalog as it is at one moment into a new file, mode 0600, while others go on using it.
    ///
    /// The copy is one file without WAL, so that it can be captured as it stands. Source: SQLite Online Backup API,
    /// https://www.sqlite.org/backup.html.
    ///
    /// - Throws: ``CatalogError``; `inaccessible` when there is a file at `destination` already. What was written by then
    ///   is removed.
    package func backup(to destination: String) throws {
        try CatalogFile.makeNew(destination)
        do {
            let copy = try DatabaseQueue(path: destination)
            try queue.backup(to: copy)
            // The copy has inherited WAL mode, which would leave two more files beside it.
            try copy.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
            try copy.close()
        } catch {
            unlink(destination)
            throw CatalogError.from(error, path: destination)
        }
    }

    /// Replaces everything in the catalog by the copy that ``backup(to:)`` made, of this version or an older one.
    ///
    /// The copy is checked and brought up to date in a file beside the catalog first. The replacement is one SQLite
    /// transaction: other processes see the old contents or the new ones, and a crash leaves one of them. Runs and
    /// settings that only the old contents had are gone; save what must stay afterwards.
    ///
    /// - Throws: ``CatalogError``: `damaged` or `newerSchema` for the copy, and as everywhere; then nothing is changed.
    package func replace(from source: String) throws {
        let staged = path + ".restore-\(getpid())"
        unlink(staged)
        defer { for suffix in ["", "-wal", "-shm"] { unlink(staged + suffix) } }
        do {
            guard access(source, R_OK) == 0 else {
                let failure = SystemCallFailure(call: "access", number: errno)
                throw CatalogError.inaccessible(source, "read", cause: failure)
            }
            try CatalogFile.makeNew(staged)
            var readOnly = Configuration()
            readOnly.readonly = true
            let original = try DatabaseQueue(path: source, configuration: readOnly)
            try Self.checkIntegrity(of: original, path: source)
            let copy = try DatabaseQueue(path: staged)
            try original.backup(to: copy)
            try original.close()
            try Self.migrate(copy, path: source)
            try copy.backup(to: queue)
            try copy.close()
        } catch {
            throw CatalogError.from(error, path: source)
        }
    }

    /// Reads every page and checks tables, indexes and references.
    ///
    /// - Throws: ``CatalogError`` `damaged` with what SQLite found.
    package func checkIntegrity() throws {
        do { try Self.checkIntegrity(of: queue, path: path) } catch { throw CatalogError.from(error, path: path) }
    }

    private static func checkIntegrity(of queue: DatabaseQueue, path: String) throws {
        let findings = try queue.read { database in
            try String.fetchAll(database, sql: "PRAGMA integrity_check(20)")
                + Row.fetchAll(database, sql: "PRAGMA foreign_key_check").map {
                    "a reference of \($0[0] as String) leads nowhere"
                }
        }
        guard findings == ["ok"] else {
            throw CatalogError.damaged(path, finding: findings.filter { $0 != "ok" }.joined(separator: "; "))
        }
    }
}
