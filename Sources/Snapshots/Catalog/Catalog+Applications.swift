import GRDB
package import SnapshotModel

extension Catalog {
    /// All applications, in the order in which they are captured and restored.
    package func applications() throws -> [RegisteredApplication] {
        try read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM applications ORDER BY position, name")
                .map(application(from:))
        }
    }

    /// - Throws: `notFound` when no application of that name is registered.
    package func application(named name: ApplicationName) throws -> RegisteredApplication {
        guard let application = try optionalApplication(named: name) else {
            throw CatalogError.notFound(
                "application '\(name)'", hint: "'stillpoint application list' shows those there are")
        }
        return application
    }

    /// The application of that name; nil when it is not registered.
    package func optionalApplication(named name: ApplicationName) throws -> RegisteredApplication? {
        try read { try fetchApplication($0, name) }
    }

    /// Registers an application at the end of the order, or gives the one of that name a new manifest.
    ///
    /// - Returns: what stands in the catalog now.
    @discardableResult
    package func register(
        _ name: ApplicationName, manifestText: String, sourcePath: String, at time: Moment
    ) throws -> RegisteredApplication {
        try write { database in
            try database.execute(
                sql: """
                    INSERT INTO applications
                      SELECT ?, ?, ?, ?, ?, coalesce(max(position) + 1, 0) FROM applications WHERE true
                      ON CONFLICT DO UPDATE SET manifest = excluded.manifest, source_path = excluded.source_path,
                        updated = excluded.updated
                    """,
                arguments: [name.text, manifestText, sourcePath, time.milliseconds, time.milliseconds])
            guard let application = try fetchApplication(database, name) else {
                throw CatalogError.damaged(path, finding: "application '\(name)' vanished while it was written")
            }
            return application
        }
    }

    /// Sets the order: the named ones first, in this order, then the others as they were.
    ///
    /// - Throws: `notFound` when one is not registered; then nothing is changed.
    package func reorderApplications(_ names: [ApplicationName]) throws {
        try write { database in
            let all = try String.fetchAll(database, sql: "SELECT name FROM applications ORDER BY position, name")
            var order: [String] = []
            for name in names where !order.contains(name.text) {
                guard all.contains(name.text) else { throw CatalogError.notFound("application '\(name)'") }
                order.append(name.text)
            }
            order += all.filter { !order.contains($0) }
            for (position, name) in order.enumerated() {
                try database.execute(
                    sql: "UPDATE applications SET position = ? WHERE name = ?", arguments: [position, name])
            }
        }
    }

    /// Forgets an application; its data, its snapshots and the history of its runs stay.
    ///
    /// - Returns: false when it was not registered.
    @discardableResult
    package func removeApplication(named name: ApplicationName) throws -> Bool {
        try write { database in
            try database.execute(sql: "DELETE FROM applications WHERE name = ?", arguments: [name.text])
            return database.changesCount > 0
        }
    }

    private func fetchApplication(_ database: Database, _ name: ApplicationName) throws -> RegisteredApplication? {
        try Row.fetchOne(database, sql: "SELECT * FROM applications WHERE name = ?", arguments: [name.text])
            .map(application(from:))
    }

    private func application(from row: Row) throws -> RegisteredApplication {
        RegisteredApplication(
            name: try decode("applications.name", row["name"]) { try ApplicationName($0) },
            manifestText: row["manifest"], sourcePath: row["source_path"],
            registered: Moment(milliseconds: row["registered"]), updated: Moment(milliseconds: row["updated"]),
            position: row["position"])
    }
}
