import GRDB

extension Catalog {
    /// The value of a setting; nil when it was never set.
    package func setting(_ name: String) throws -> String? {
        try read { try String.fetchOne($0, sql: "SELECT value FROM settings WHERE name = ?", arguments: [name]) }
    }

    /// All settings by name.
    package func settings() throws -> [String: String] {
        try read { database in
            let rows = try Row.fetchAll(database, sql: "SELECT name, value FROM settings")
            return Dictionary(rows.map { ($0["name"], $0["value"]) }) { $1 }
        }
    }

    /// Sets a setting; nil removes it.
    package func setSetting(_ name: String, to value: String?) throws {
        try write { database in
            guard let value else {
                return try database.execute(sql: "DELETE FROM settings WHERE name = ?", arguments: [name])
            }
            try database.execute(
                sql: "INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                arguments: [name, value])
        }
    }
}
