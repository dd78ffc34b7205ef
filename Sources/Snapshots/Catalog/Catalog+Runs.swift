import GRDB
package import SnapshotModel

extension Catalog {
    /// Writes a run into the history, or replaces what stands there of it.
    package func save(_ run: Run) throws {
        try write { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    run.id.text, run.kind.rawValue, run.application?.text, run.trigger.rawValue, run.state.rawValue,
                    run.started.milliseconds, run.finished?.milliseconds, run.snapshot, run.exitCode?.rawValue,
                    run.message, run.counters.bytes, run.counters.files, run.counters.warnings,
                ])
        }
    }

    /// - Throws: `notFound` when the history has no such run.
    package func run(_ id: RunID) throws -> Run {
        let row = try read { try Row.fetchOne($0, sql: "SELECT * FROM runs WHERE id = ?", arguments: [id.text]) }
        guard let row else { throw CatalogError.notFound("run \(id)") }
        return try run(from: row)
    }

    /// The run that a person means: `latest`, an id, or the beginning or the end of one (ids of one day begin alike).
    ///
    /// - Throws: `notFound`, `ambiguous`.
    package func run(named text: String) throws -> Run {
        if text == "latest" {
            guard let run = try runs(limit: 1).first else { throw CatalogError.notFound("run yet") }
            return run
        }
        let rows = try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM runs WHERE substr(id, 1, length(:text)) = :text OR substr(id, -length(:text)) = :text
                      ORDER BY id DESC LIMIT 20
                    """, arguments: ["text": text])
        }
        guard !text.isEmpty, let row = rows.first else {
            throw CatalogError.notFound("run '\(text)'", hint: "'stillpoint runs' lists those there are")
        }
        guard rows.count == 1 else { throw CatalogError.ambiguous("runs", text, rows.map { $0["id"] }) }
        return try run(from: row)
    }

    /// The history, newest first.
    ///
    /// - Parameters:
    ///   - application: only runs about this application alone; nil for all.
    ///   - kinds: only runs of these kinds; empty for all.
    ///   - earlier: only runs before this one; for the next page.
    ///   - limit: at most so many.
    package func runs(
        of application: ApplicationName? = nil, kinds: Set<RunKind> = [], before earlier: RunID? = nil, limit: Int = 100
    ) throws -> [Run] {
        var conditions: [String] = []
        var arguments = StatementArguments()
        if let application {
            conditions.append("application = ?")
            arguments += [application.text]
        }
        if !kinds.isEmpty {
            conditions.append("kind IN (\(databaseQuestionMarks(count: kinds.count)))")
            arguments += StatementArguments(kinds.map(\.rawValue))
        }
        if let earlier {
            conditions.append("id < ?")
            arguments += [earlier.text]
        }
        let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        return try read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM runs \(filter) ORDER BY id DESC LIMIT \(max(0, limit))",
                arguments: arguments
            ).map(run(from:))
        }
    }

    /// The runs that have no end yet, oldest first: those that go on, and those that were killed.
    package func unfinishedRuns() throws -> [Run] {
        try read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM runs WHERE finished IS NULL ORDER BY id").map(run(from:))
        }
    }

    private func run(from row: Row) throws -> Run {
        Run(
            id: try decode("runs.id", row["id"]) { try RunID($0) },
            kind: try decode("runs.kind", row["kind"], RunKind.init(rawValue:)),
            application: try (row["application"] as String?).map { text in
                try decode("runs.application", text) { try ApplicationName($0) }
            },
            trigger: try decode("runs.triggered_by", row["triggered_by"], Trigger.init(rawValue:)),
            state: try decode("runs.state", row["state"], RunState.init(rawValue:)),
            started: Moment(milliseconds: row["started"]),
            finished: (row["finished"] as Int64?).map(Moment.init(milliseconds:)), snapshot: row["snapshot"],
            exitCode: (row["exit_code"] as Int32?).flatMap(ExitCode.init(rawValue:)), message: row["message"],
            counters: Run.Counters(bytes: row["bytes"], files: row["files"], warnings: row["warnings"]))
    }
}
