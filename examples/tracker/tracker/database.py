"""The database: schema, connections, and the invariants that SQLite itself can prove."""

import sqlite3
from pathlib import Path
from urllib.parse import quote

from tracker.errors import TrackerError

SCHEMA_VERSION = 1

SCHEMA = """
CREATE TABLE IF NOT EXISTS issue (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    author TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
    created_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS comment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    issue_id INTEGER NOT NULL REFERENCES issue (id),
    author TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS upload (
    id TEXT PRIMARY KEY,
    issue_id INTEGER NOT NULL REFERENCES issue (id),
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS comment_by_issue ON comment (issue_id);
CREATE INDEX IF NOT EXISTS upload_by_issue ON upload (issue_id);
"""

TABLES = ("issue", "comment", "upload")


class UnusableDatabase(TrackerError):
    """There is no database, it is damaged, or it is not one that this version of the tracker reads."""


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The server's one connection that writes. WAL, so that readers and a copy being made never block each other;
    `synchronous=FULL`, so that what was acknowledged survives a power cut."""
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found not in (0, SCHEMA_VERSION):
        connection.close()
        raise UnusableDatabase(f"{path} has schema version {found}; this tracker reads version {SCHEMA_VERSION}")
    connection.executescript(SCHEMA)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. Raises sqlite3.OperationalError when there is no such file."""
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None, timeout=10)
    connection.row_factory = sqlite3.Row
    return connection


def checkpoint(connection: sqlite3.Connection) -> bool:
    """Moves everything from the WAL into the database file and empties the WAL; False when a reader prevented it
    (then both files together are still a consistent copy)."""
    return connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


def faults(connection: sqlite3.Connection) -> list[str]:
    """What SQLite's own checks find wrong; empty means nothing."""
    found = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
    for table, rowid, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        found.append(f"row {rowid} of {table} refers to a row of {parent} that does not exist")
    return found
