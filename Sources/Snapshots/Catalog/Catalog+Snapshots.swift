import GRDB
import JSON
package import SnapshotModel

extension Catalog {
    /// The known snapshots of a destination, newest first.
    ///
    /// - Parameters:
    ///   - kind: only full or only partial ones; nil for all, those of plain restic among them.
    ///   - application: only snapshots that hold this application; nil for all.
    package func snapshots(
        in destination: String, kind: SnapshotKind? = nil, application: ApplicationName? = nil
    ) throws -> [SnapshotSummary] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM snapshots WHERE destination = :destination AND (:kind IS NULL OR kind = :kind)
                      AND (:application IS NULL OR id IN (SELECT snapshot FROM snapshot_applications
                        WHERE destination = :destination AND application = :application))
                      ORDER BY time DESC, id
                    """,
                arguments: ["destination": destination, "kind": kind?.rawValue, "application": application?.text]
            ).map(snapshot(from:))
        }
    }

    /// The snapshot that a person means: `latest` (of ours, and of `application` when given), an id, or its beginning.
    ///
    /// - Throws: `notFound`, `ambiguous`.
    package func snapshot(
        named text: String, in destination: String, application: ApplicationName? = nil
    ) throws -> SnapshotSummary {
        if text == "latest" {
            let candidates = try snapshots(in: destination, application: application)
            guard let newest = candidates.first(where: { $0.kind != nil }) else {
                let owner = application.map { " of application '\($0)'" } ?? ""
                throw CatalogError.notFound("snapshot\(owner) in the destination '\(destination)'")
            }
            return newest
        }
        let rows = try read { database in
            try Row.fetchAll(
                database,
                sql:
                    "SELECT * FROM snapshots WHERE destination = ? AND substr(id, 1, length(?)) = ? ORDER BY id LIMIT 20",
                arguments: [destination, text, text])
        }
        guard !text.isEmpty, let row = rows.first else { throw CatalogError.notFound("snapshot '\(text)'") }
        guard rows.count == 1 else {
            throw CatalogError.ambiguous("snapshots", text, rows.map { String(($0["id"] as String).prefix(16)) })
        }
        return try snapshot(from: row)
    }

    /// Adds a snapshot to what is known of a destination, or replaces what is known of it.
    package func save(_ snapshot: SnapshotSummary, in destination: String) throws {
        try write { try insert($0, snapshot, destination) }
    }

    /// Forgets snapshots that are no longer in the destination.
    package func removeSnapshots(_ ids: [String], in destination: String) throws {
        try write { database in
            for id in ids {
                try database.execute(
                    sql: "DELETE FROM snapshots WHERE destination = ? AND id = ?", arguments: [destination, id])
            }
        }
    }

    /// Replaces everything known of a destination by what its repository says, in one transaction. Sizes that nobody
    /// has counted anew are kept.
    package func rebuildSnapshots(in destination: String, from snapshots: [SnapshotSummary]) throws {
        try write { database in
            let rows = try Row.fetchAll(
                database, sql: "SELECT id, bytes FROM snapshots WHERE destination = ? AND bytes IS NOT NULL",
                arguments: [destination])
            let sizes = Dictionary(rows.map { ($0["id"] as String, $0["bytes"] as Int64) }) { $1 }
            try database.execute(sql: "DELETE FROM snapshots WHERE destination = ?", arguments: [destination])
            for var snapshot in snapshots {
                snapshot.byteCount = snapshot.byteCount ?? sizes[snapshot.id]
                try insert(database, snapshot, destination)
            }
        }
    }

    private func insert(_ database: Database, _ snapshot: SnapshotSummary, _ destination: String) throws {
        try database.execute(
            sql: "DELETE FROM snapshots WHERE destination = ? AND id = ?", arguments: [destination, snapshot.id])
        try database.execute(
            sql: "INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                destination, snapshot.id, snapshot.time.milliseconds, snapshot.tree, snapshot.host,
                snapshot.kind?.rawValue, snapshot.consistency?.rawValue, try json(snapshot.paths),
                try json(snapshot.tags), snapshot.byteCount,
            ])
        for application in Set(snapshot.applications) {
            try database.execute(
                sql: "INSERT INTO snapshot_applications VALUES (?, ?, ?)",
                arguments: [destination, snapshot.id, application.text])
        }
    }

    private func json(_ texts: [String]) throws -> String {
        try JSONValue.array(texts.map { .string($0) }).encodedText()
    }

    private func texts(_ column: String, _ json: String) throws -> [String] {
        try decode(column, json) { try JSONValue.parse($0).arrayValue?.compactMap(\.stringValue) }
    }

    private func snapshot(from row: Row) throws -> SnapshotSummary {
        SnapshotSummary(
            id: row["id"], time: Moment(milliseconds: row["time"]), tree: row["tree"], host: row["host"],
            paths: try texts("snapshots.paths", row["paths"]), tags: try texts("snapshots.tags", row["tags"]),
            byteCount: row["bytes"])
    }
}
