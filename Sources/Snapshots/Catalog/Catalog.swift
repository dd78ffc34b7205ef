import CLinux
import GRDB
import Glibc

/// What this host knows: settings, destinations, applications, the history of runs, and a cache of the snapshots in its
/// repositories. One SQLite file in WAL mode that several processes use at once.
///
/// All methods block, may be called from any thread, and throw ``CatalogError``. The catalog has no clock: callers say
/// when. Changes are durable when a method returns.
package final class Catalog: Sendable {
    /// The absolute path of the database file.
    package let path: String
    let queue: DatabaseQueue

    /// How long a process waits for another one's transaction. Ours take milliseconds; the backup of a large catalog may
    /// take seconds.
    static let busyTimeoutSeconds = 15.0

    /// Opens the catalog at `path`, makes it (mode 0600, its directory 0700) when there is none, and brings its tables up
    /// to date.
    ///
    /// - Throws: ``CatalogError``: `damaged`, `newerSchema`, `busy`, `noSpace`, `inaccessible`.
    package init(path: String) throws {
        self.path = path
        do {
            try CatalogFile.prepare(path)
            // Two processes that open a new catalog at once would both switch it to WAL and create the same tables.
            queue = try CatalogFile.withOpeningLock(path) {
                let queue = try Self.openQueue(path)
                try Self.migrate(queue, path: path)
                return queue
            }
        } catch {
            throw CatalogError.from(error, path: path)
        }
    }

    /// Closes the file. Nothing may be called afterwards; a catalog that is not closed is closed with its last reference.
    package func close() throws {
        do { try queue.close() } catch { throw CatalogError.from(error, path: path) }
    }

    static func openQueue(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "catalog"
        configuration.busyMode = .timeout(busyTimeoutSeconds)
        configuration.foreignKeysEnabled = true
        configuration.prepareDatabase { database in
            // FULL: what was reported as done survives a power cut. Source: https://www.sqlite.org/pragma.html#pragma_synchronous
            try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        }
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    static func migrate(_ queue: DatabaseQueue, path: String) throws {
        let migrator = CatalogMigrations.migrator
        let isNewer = try queue.read { try migrator.hasBeenSuperseded($0) }
        if isNewer { throw CatalogError.newerSchema(path) }
        if try queue.read({ try !migrator.hasCompletedMigrations($0) }) { try migrator.migrate(queue) }
    }

    func read<Result>(_ body: (Database) throws -> Result) throws -> Result {
        do { return try queue.read(body) } catch { throw CatalogError.from(error, path: path) }
    }

    /// One transaction, taken at once so that it never fails in the middle because another process writes.
    func write<Result>(_ body: (Database) throws -> Result) throws -> Result {
        do { return try queue.write(body) } catch { throw CatalogError.from(error, path: path) }
    }

    /// A value of the model from a text of a row.
    func decode<Value>(_ column: String, _ text: String, _ make: (String) throws -> Value?) throws -> Value {
        let value: Value?
        do { value = try make(text) } catch { throw CatalogError.damaged(path, cause: error) }
        guard let value else { throw CatalogError.damaged(path, finding: "'\(text)' is no value of \(column)") }
        return value
    }
}
