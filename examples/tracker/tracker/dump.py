"""The database as SQL text and back: a second way to the data that needs no SQLite file format."""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from tracker import database
from tracker.errors import TrackerError

LAST_LINE = "-- end of the tracker's dump"


class DumpError(TrackerError):
    """The text is not a complete dump of a tracker; the text of the error says what is wrong."""


def dump(path: Path) -> Iterator[str]:
    """The lines of a dump as of one moment: one read transaction sees no write that comes later.

    Raises UnusableDatabase, perhaps after some lines; only a dump with its last line is one.
    """
    try:
        with closing(database.open_for_reading(path)) as connection:
            connection.execute("BEGIN")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            connection.row_factory = None
            yield from connection.iterdump()
            yield f"PRAGMA user_version={version};"
            yield LAST_LINE
    except sqlite3.Error as error:
        raise database.UnusableDatabase(f"{path} cannot be read: {error}") from error


def load(lines: Iterable[str], connection: sqlite3.Connection) -> None:
    """Fills an empty database from a dump. Raises DumpError when it is cut, damaged or of something else."""
    statement, last = "", ""
    try:
        for line in lines:
            last = line.rstrip("\n")
            statement += line if line.endswith("\n") else line + "\n"
            if sqlite3.complete_statement(statement):
                connection.execute(statement)
                statement = ""
        if last != LAST_LINE:
            raise DumpError("the dump is cut: its last line is missing")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != database.SCHEMA_VERSION:
            raise DumpError(f"the dump has schema version {version}, not {database.SCHEMA_VERSION}")
        if found := database.faults(connection):
            raise DumpError(f"the dump's data is damaged: {found[0]}")
    except (sqlite3.Error, sqlite3.Warning, UnicodeDecodeError) as error:
        raise DumpError(f"the dump cannot be loaded: {error}") from error


def replace_database(path: Path, lines: Iterable[str]) -> None:
    """Builds a database from a dump beside `path` and puts it in its place when it is complete; the server must not
    run. What was there stays as it was when the dump turns out to be bad."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".loading")
    fresh.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
            load(lines, connection)
        descriptor = os.open(fresh, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        # A WAL belongs to the file it was written for, so it goes before that file does.
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        os.replace(fresh, path)
    finally:
        for suffix in ("", "-journal"):
            fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
