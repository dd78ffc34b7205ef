"""What several tests need."""

import io
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Callable
from pathlib import Path

from tracker.gate import WriteGate
from tracker.home import Home
from tracker.lock import running_pid
from tracker.store import Store, upload_path
from tracker.writer import Client

FOLDER = Path(__file__).resolve().parent.parent
LIMIT_SECONDS = 60


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Returns when the condition holds; fails after a limit that no healthy run comes near."""
    patience = time.monotonic() + LIMIT_SECONDS
    while not condition():
        if time.monotonic() > patience:
            raise AssertionError(f"waited {LIMIT_SECONDS} s in vain until {what}")
        threading.Event().wait(0.005)


class HomeCase(unittest.TestCase):
    """A test with an empty home, and the commands of `bin/` for it."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="tracker-test-")
        self.addCleanup(directory.cleanup)
        self.home = Home(Path(directory.name))
        self.home.prepare()
        self.addCleanup(self._stop)

    def run_command(self, name: str, *arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess:
        """Runs a script of `bin/` to its end; its output is text."""
        return subprocess.run(
            [sys.executable, str(FOLDER / "bin" / name), *arguments], env={"TRACKER_HOME": str(self.home.root)},
            input=None if stdin is None else stdin.decode(), capture_output=True, text=True, timeout=60, check=False)

    def command(self, name: str, *arguments: str, stdin: bytes | None = None) -> str:
        """Like run_command, but has to succeed; returns stdout."""
        done = self.run_command(name, *arguments, stdin=stdin)
        self.assertEqual(done.returncode, 0, f"{name}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self) -> Client:
        """Starts the server of this home on a free port."""
        self.command("start", "--background", "--port", "0")
        client = Client(self.home, timeout_seconds=LIMIT_SECONDS)
        self.addCleanup(client.close)
        return client

    def _stop(self) -> None:
        if running_pid(self.home) is not None:
            self.command("stop")


class StoreCase(HomeCase):
    """A test with a store in this process and no server."""

    def setUp(self) -> None:
        super().setUp()
        self.gate = WriteGate()
        self.store = Store(self.home, self.gate)
        self.addCleanup(lambda: self.store.close())  # the store of the end of the test

    def add_upload(self, content: bytes = b"content") -> tuple[str, Path]:
        """An issue with one upload: the upload's id and file."""
        number = self.store.create_issue("title", "", "somebody")
        received = self.store.receive(io.BytesIO(content), len(content))
        identifier = self.store.attach(number, "file.txt", "text/plain", received)
        return identifier, upload_path(self.home.uploads, identifier)
