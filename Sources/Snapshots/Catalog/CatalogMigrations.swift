import GRDB

/// The tables, as they came to be. A migration is never edited once it has shipped; a change is a new one at the end.
///
/// Times are milliseconds since the Unix epoch. JSON columns hold compact JSON text.
enum CatalogMigrations {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("0001 settings, destinations, applications, runs, snapshots") { database in
            try database.execute(
                sql: """
                    CREATE TABLE settings (
                      name TEXT NOT NULL PRIMARY KEY,
                      value TEXT NOT NULL
                    ) STRICT, WITHOUT ROWID;

                    CREATE TABLE destinations (
                      name TEXT NOT NULL PRIMARY KEY,
                      plugin TEXT NOT NULL,
                      config TEXT NOT NULL,          -- JSON object
                      password TEXT NOT NULL,        -- JSON object, see PasswordSource
                      updated INTEGER NOT NULL
                    ) STRICT, WITHOUT ROWID;

                    CREATE TABLE applications (
                      name TEXT NOT NULL PRIMARY KEY,
                      manifest TEXT NOT NULL,        -- the text of application.yaml
                      source_path TEXT NOT NULL,
                      registered INTEGER NOT NULL,
                      updated INTEGER NOT NULL,
                      position INTEGER NOT NULL
                    ) STRICT, WITHOUT ROWID;

                    CREATE TABLE runs (
                      id TEXT NOT NULL PRIMARY KEY,  -- sorts by time
                      kind TEXT NOT NULL,
                      application TEXT,              -- no reference: history outlives what it is about
                      triggered_by TEXT NOT NULL,
                      state TEXT NOT NULL,
                      started INTEGER NOT NULL,
                      finished INTEGER,
                      snapshot TEXT,
                      exit_code INTEGER,
                      message TEXT,
                      bytes INTEGER NOT NULL,
                      files INTEGER NOT NULL,
                      warnings INTEGER NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX runs_of_application ON runs (application, id);
                    CREATE INDEX runs_unfinished ON runs (id) WHERE finished IS NULL;

                    CREATE TABLE snapshots (
                      destination TEXT NOT NULL,
                      id TEXT NOT NULL,
                      time INTEGER NOT NULL,
                      tree TEXT NOT NULL,
                      host TEXT NOT NULL,
                      kind TEXT,                     -- null for snapshots of plain restic
                      consistency TEXT,
                      paths TEXT NOT NULL,           -- JSON array
                      tags TEXT NOT NULL,            -- JSON array
                      bytes INTEGER,
                      PRIMARY KEY (destination, id)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX snapshots_by_time ON snapshots (destination, time);

                    CREATE TABLE snapshot_applications (
                      destination TEXT NOT NULL,
                      snapshot TEXT NOT NULL,
                      application TEXT NOT NULL,
                      PRIMARY KEY (destination, application, snapshot),
                      FOREIGN KEY (destination, snapshot) REFERENCES snapshots ON DELETE CASCADE
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX applications_of_snapshot ON snapshot_applications (destination, snapshot);
                    """)
        }
        return migrator
    }
}
