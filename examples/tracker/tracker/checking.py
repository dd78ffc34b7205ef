"""The tracker's own proof that its data is whole: the database and the uploads must agree, byte for byte."""

import hashlib
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tracker import database
from tracker.dump import DumpError, load
from tracker.store import upload_path

SECOND_LOOK_SECONDS = 5


@dataclass
class Report:
    """What a check found; whole means `faults` is empty."""

    issues: int = 0
    comments: int = 0
    uploads: int = 0
    byte_count: int = 0
    faults: list[str] = field(default_factory=list)

    def summary(self) -> str:
        return (
            f"{self.issues} issues, {self.comments} comments, {self.uploads} uploads with "
            f"{self.byte_count} bytes")


def check(
    database_path: Path, uploads: Path, dump: Path | None = None, is_live: Callable[[], bool] = lambda: False
) -> Report:
    """Compares every row with its upload and every upload with its row, and the database with a dump of it.

    `is_live` tells whether a server may be writing meanwhile: then a file whose row is not yet there gets a second
    look, because the tracker puts the file first.
    """
    report = Report()
    try:
        files, misplaced = _files(uploads)
        report.faults += [f"{path} lies where no upload belongs" for path in misplaced]
        with closing(database.open_for_reading(database_path)) as connection:
            report.faults += database.faults(connection)
            rows = _check_rows(connection, uploads, report)
            strays = files - rows
            patience = time.monotonic() + SECOND_LOOK_SECONDS
            while strays and is_live() and time.monotonic() < patience:
                time.sleep(0.05)
                strays -= {row[0] for row in connection.execute("SELECT id FROM upload")}
            for stray in sorted(strays):
                report.faults.append(f"upload {stray} has no row in the database")
            if dump is not None:
                report.faults += _compare(connection, dump)
    except (sqlite3.Error, OSError) as error:
        report.faults.append(f"the data cannot be read: {error}")
    return report


def _files(uploads: Path) -> tuple[set[str], list[Path]]:
    """The ids of all uploads on disk, and the files that are in nobody's place; a `.part` is no upload yet."""
    if not uploads.is_dir():
        raise FileNotFoundError(f"there is no directory {uploads}")
    found, misplaced = set(), []
    for path in sorted(uploads.rglob("*")):
        if path.is_dir() or path.suffix == ".part":
            continue
        if path == upload_path(uploads, path.name):
            found.add(path.name)
        else:
            misplaced.append(path)
    return found, misplaced


def _check_rows(connection: sqlite3.Connection, uploads: Path, report: Report) -> set[str]:
    """Counts the rows, compares each upload with its row, and returns the ids that have one."""
    report.issues = connection.execute("SELECT count(*) FROM issue").fetchone()[0]
    report.comments = connection.execute("SELECT count(*) FROM comment").fetchone()[0]
    found = set()
    for row in connection.execute("SELECT * FROM upload ORDER BY id").fetchall():
        found.add(row["id"])
        report.uploads += 1
        report.byte_count += row["size"]
        if fault := _upload_fault(upload_path(uploads, row["id"]), row):
            report.faults.append(f"upload {row['id']} of issue {row['issue_id']} {fault}")
    return found


def _upload_fault(path: Path, row: sqlite3.Row) -> str | None:
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            if size != row["size"]:
                return f"has {size} bytes on disk and {row['size']} in the database"
            file.seek(0)
            if hashlib.file_digest(file, "sha256").hexdigest() != row["sha256"]:
                return "has another content than the database says (sha256)"
    except FileNotFoundError:
        return "is in the database and not on disk"
    return None


def _compare(connection: sqlite3.Connection, dump: Path) -> list[str]:
    """The tables in which a dump and the database differ."""
    try:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as loaded:
            with open(dump, encoding="utf-8", newline="\n") as lines:
                load(lines, loaded)
            return [
                f"table {table} of the dump differs from the database"
                for table in database.TABLES
                if list(map(tuple, connection.execute(f"SELECT * FROM {table} ORDER BY id")))
                != list(loaded.execute(f"SELECT * FROM {table} ORDER BY id"))
            ]
    except DumpError as error:
        return [str(error)]
