import GRDB
import JSON
package import SnapshotModel

extension Catalog {
    /// All destinations, by name.
    package func destinations() throws -> [Destination] {
        try read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM destinations ORDER BY name").map(destination(from:))
        }
    }

    /// - Throws: `notFound` when there is no destination of that name.
    package func destination(named name: String) throws -> Destination {
        let row = try read {
            try Row.fetchOne($0, sql: "SELECT * FROM destinations WHERE name = ?", arguments: [name])
        }
        guard let row else { throw CatalogError.notFound("destination '\(name)'") }
        return try destination(from: row)
    }

    /// Adds a destination, or replaces the one of that name.
    package func save(_ destination: Destination, at time: Moment) throws {
        let config = try JSONValue.object(destination.config).encodedText()
        let password = try JSONValue.object(destination.password.json).encodedText()
        try write { database in
            try database.execute(
                sql: """
                    INSERT INTO destinations VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET plugin = excluded.plugin,
                      config = excluded.config, password = excluded.password, updated = excluded.updated
                    """,
                arguments: [destination.name, destination.plugin, config, password, time.milliseconds])
        }
    }

    /// Forgets a destination and what is cached of its snapshots; nothing in it is touched.
    ///
    /// - Returns: false when there was none of that name.
    @discardableResult
    package func removeDestination(named name: String) throws -> Bool {
        try write { database in
            try database.execute(sql: "DELETE FROM snapshots WHERE destination = ?", arguments: [name])
            try database.execute(sql: "DELETE FROM destinations WHERE name = ?", arguments: [name])
            return database.changesCount > 0
        }
    }

    private func destination(from row: Row) throws -> Destination {
        try decode("destinations", row["name"]) { name in
            try Destination(
                name: name, plugin: row["plugin"], config: try object(row["config"]),
                password: try PasswordSource(json: try object(row["password"])))
        }
    }

    private func object(_ text: String) throws -> JSONObject {
        try decode("a JSON column", text) { try JSONValue.parse($0).objectValue }
    }
}
