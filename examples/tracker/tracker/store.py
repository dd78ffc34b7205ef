"""What the tracker can do, and the order in which a write touches the disk."""

import hashlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import BinaryIO

from tracker import database
from tracker.gate import WriteGate
from tracker.home import Home

READ_BYTE_COUNT = 256 * 1024
PAGE_ROW_COUNT = 50


class Refused(Exception):
    """The request cannot be done as it stands; the text says why and is shown to the client."""


class NotFound(Exception):
    """What the request names does not exist."""


@dataclass(frozen=True)
class ReceivedUpload:
    """A complete upload that nobody sees yet: a `.part` file beside its later place."""

    id: str
    part: Path
    size: int
    sha256: str


def upload_path(uploads: Path, identifier: str) -> Path:
    """The file of an upload; two digits of the id make the directory."""
    return uploads / identifier[:2] / identifier


def checked_text(value: object, field: str, maximum: int, required: bool = True) -> str:
    """Text as it is stored: no control characters but tab and newline, at most `maximum` characters."""
    if not isinstance(value, str):
        raise Refused(f"'{field}' has to be text")
    text = value.replace("\r\n", "\n").strip()
    if required and not text:
        raise Refused(f"'{field}' must not be empty")
    if len(text) > maximum:
        raise Refused(f"'{field}' is longer than {maximum} characters")
    if any((ord(c) < 32 and c not in "\n\t") or ord(c) == 127 or 0xD800 <= ord(c) <= 0xDFFF for c in text):
        raise Refused(f"'{field}' contains a character that cannot be stored")
    return text


class Store:
    """Issues, comments and uploads. Any thread may call anything; every write passes the gate."""

    def __init__(self, home: Home, gate: WriteGate):
        self.home = home
        self.gate = gate
        self._lock = threading.Lock()
        try:
            self._connection = database.open_for_writing(home.database)
        except sqlite3.Error as error:
            raise database.UnusableDatabase(f"{home.database} cannot be opened: {error}") from error
        for part in home.uploads.glob("*/*.part"):
            part.unlink(missing_ok=True)

    def close(self) -> None:
        """Call it when the gate is closed; leaves one database file and no WAL."""
        with self._lock:
            database.checkpoint(self._connection)
            self._connection.close()

    def checkpoint(self) -> bool:
        """See database.checkpoint."""
        with self._lock:
            return database.checkpoint(self._connection)

    # Reading

    def issues(self, state: str | None = None, before: int | None = None) -> list[dict]:
        """One page of issues, newest first; `before` is the id with which the last page ended."""
        return self._rows(
            """SELECT issue.*,
                   (SELECT count(*) FROM comment WHERE issue_id = issue.id) AS comments,
                   (SELECT count(*) FROM upload WHERE issue_id = issue.id) AS uploads
               FROM issue WHERE (:state IS NULL OR state = :state) AND (:before IS NULL OR id < :before)
               ORDER BY id DESC LIMIT :limit""",
            {"state": state, "before": before, "limit": PAGE_ROW_COUNT})

    def issue(self, number: int) -> dict:
        """An issue with all its comments and uploads."""
        found = self._rows("SELECT * FROM issue WHERE id = ?", (number,))
        if not found:
            raise NotFound(f"there is no issue {number}")
        comments = self._rows("SELECT * FROM comment WHERE issue_id = ? ORDER BY id", (number,))
        uploads = self._rows("SELECT * FROM upload WHERE issue_id = ? ORDER BY created_at, id", (number,))
        return found[0] | {"comments": comments, "uploads": uploads}

    def upload(self, identifier: str) -> tuple[dict, Path]:
        """The row of an upload and the path of its file."""
        found = self._rows("SELECT * FROM upload WHERE id = ?", (identifier,))
        if not found:
            raise NotFound("there is no such upload")
        return found[0], upload_path(self.home.uploads, identifier)

    def counts(self) -> dict[str, int]:
        """Rows of each table, and the open issues."""
        return self._rows(
            """SELECT (SELECT count(*) FROM issue) AS issues,
                      (SELECT count(*) FROM issue WHERE state = 'open') AS open,
                      (SELECT count(*) FROM comment) AS comments,
                      (SELECT count(*) FROM upload) AS uploads""")[0]

    # Writing

    def create_issue(self, title: object, body: object, author: object) -> int:
        values = (
            checked_text(title, "title", 200), checked_text(body, "body", 100_000, required=False),
            checked_text(author, "author", 100), _now())
        with self._writing() as connection:
            statement = "INSERT INTO issue (title, body, author, created_at) VALUES (?, ?, ?, ?)"
            return connection.execute(statement, values).lastrowid

    def create_comment(self, number: int, author: object, body: object) -> int:
        values = (number, checked_text(author, "author", 100), checked_text(body, "body", 100_000), _now())
        with self._writing() as connection:
            self._require_issue(connection, number)
            statement = "INSERT INTO comment (issue_id, author, body, created_at) VALUES (?, ?, ?, ?)"
            return connection.execute(statement, values).lastrowid

    def set_state(self, number: int, state: object) -> None:
        if state not in ("open", "closed"):
            raise Refused("'state' is either open or closed")
        with self._writing() as connection:
            self._require_issue(connection, number)
            connection.execute("UPDATE issue SET state = ? WHERE id = ?", (state, number))

    def receive(self, stream: BinaryIO, byte_count: int) -> ReceivedUpload:
        """Reads an upload from the network into a `.part` file. Not a write yet: it may take minutes and does not
        pass the gate, so that a slow client never delays a hold."""
        identifier = secrets.token_hex(16)
        target = upload_path(self.home.uploads, identifier)
        part = target.with_name(identifier + ".part")
        if not part.parent.is_dir():
            part.parent.mkdir(exist_ok=True)
            _sync_directory(self.home.uploads)
        digest, left = hashlib.sha256(), byte_count
        try:
            with open(part, "xb") as file:
                while left > 0:
                    chunk = stream.read(min(left, READ_BYTE_COUNT))
                    if not chunk:
                        raise Refused(f"the upload ended {left} bytes early")
                    file.write(chunk)
                    digest.update(chunk)
                    left -= len(chunk)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return ReceivedUpload(identifier, part, byte_count, digest.hexdigest())

    def attach(self, number: int, name: object, media_type: str, received: ReceivedUpload) -> str:
        """Makes a received upload part of an issue: the file first, then its row, so that a row always has its file."""
        target = upload_path(self.home.uploads, received.id)
        try:
            # A browser may send a whole path; the part after the last separator is the name.
            label = checked_text(name, "name", 500).replace("\\", "/").rsplit("/", 1)[-1] or "unnamed"
            values = (received.id, number, label, media_type, received.size, received.sha256, _now())
            with self._writing(undo=lambda: target.unlink(missing_ok=True)) as connection:
                self._require_issue(connection, number)
                os.rename(received.part, target)
                _sync_directory(target.parent)
                connection.execute("INSERT INTO upload VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        except BaseException:
            received.part.unlink(missing_ok=True)
            raise
        return received.id

    @contextmanager
    def _writing(self, undo: Callable[[], None] = lambda: None) -> Iterator[sqlite3.Connection]:
        """One transaction behind the gate; `undo` takes back what the block did outside the database if it fails."""
        with self.gate.writing(), self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                undo()
                raise

    def _rows(self, statement: str, parameters: tuple | dict = ()) -> list[dict]:
        with closing(database.open_for_reading(self.home.database)) as connection:
            return [dict(row) for row in connection.execute(statement, parameters)]

    @staticmethod
    def _require_issue(connection: sqlite3.Connection, number: int) -> None:
        if connection.execute("SELECT 1 FROM issue WHERE id = ?", (number,)).fetchone() is None:
            raise NotFound(f"there is no issue {number}")


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
