"""A busy user: writes issues with uploads and comments through the API all the time, from several threads at once."""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable
from urllib.parse import quote

from tracker.home import Home

RETRY_SECONDS = 0.1


class Rejected(Exception):
    """The server answered with something other than success."""


class Client:
    """One connection to the API of the tracker of a home; it finds the server again after a restart."""

    def __init__(self, home: Home, timeout_seconds: float = 120):
        self._home = home
        self._timeout = timeout_seconds
        self._connection: http.client.HTTPConnection | None = None

    def post(self, path: str, body: bytes, media_type: str = "application/json") -> dict:
        """Raises Rejected, OSError or http.client.HTTPException; after any of them the next call connects anew."""
        try:
            if self._connection is None:
                host, port = self._home.address_file.read_text(encoding="ascii").strip().rsplit(":", 1)
                self._connection = http.client.HTTPConnection(host, int(port), timeout=self._timeout)
            self._connection.request("POST", path, body, {"Content-Type": media_type})
            response = self._connection.getresponse()
            content = response.read()
            if response.status not in (200, 201):
                raise Rejected(f"{path}: {response.status} {content[:200].decode(errors='replace').strip()}")
            return json.loads(content)
        except BaseException:
            self.close()
            raise

    def create_issue(self, title: str, body: str, author: str) -> int:
        return self.post("/api/issues", json.dumps({"title": title, "body": body, "author": author}).encode())["id"]

    def create_comment(self, number: int, author: str, body: str) -> int:
        given = json.dumps({"author": author, "body": body}).encode()
        return self.post(f"/api/issues/{number}/comments", given)["id"]

    def upload(self, number: int, name: str, content: bytes) -> dict:
        """The id, size and sha256 as the server counted them."""
        path = f"/api/issues/{number}/uploads?name={quote(name)}"
        return self.post(path, content, "application/octet-stream")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Writer:
    """Several threads that write until they are stopped, and remember what was acknowledged."""

    def __init__(self, home: Home, thread_count: int, issues_per_second: float, seed: int | None = None):
        self._home = home
        self._interval = thread_count / issues_per_second
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self._threads = [
            threading.Thread(target=self._work, args=(f"writer {number + 1}",), daemon=True)
            for number in range(thread_count)
        ]
        self.issues = 0
        self.uploads = 0
        self.byte_count = 0
        self.failures = 0
        self.longest_wait_seconds = 0.0

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns when no thread writes any more."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def summary(self) -> str:
        with self._lock:
            return (
                f"{self.issues} issues and {self.uploads} uploads ({self.byte_count} bytes) were acknowledged, "
                f"{self.failures} requests failed; the longest wait was {self.longest_wait_seconds:.3f} s")

    def _work(self, name: str) -> None:
        client = Client(self._home)
        while not self._stop.is_set():
            started = time.monotonic()
            try:
                self._write(client, name)
            except (Rejected, OSError, http.client.HTTPException, ValueError):
                # The server is stopped, or its data was taken away: a writer goes on when it is back.
                with self._lock:
                    self.failures += 1
                self._stop.wait(RETRY_SECONDS)
            self._stop.wait(max(0.0, self._interval - (time.monotonic() - started)))
        client.close()

    def _write(self, client: Client, name: str) -> None:
        with self._lock:
            content = self._content()
            wants_comment = self._random.random() < 0.5
        number = self._timed(
            lambda: client.create_issue(f"Report of {len(content)} bytes", f"Written by {name}.", name))
        with self._lock:
            self.issues += 1
        self._timed(lambda: client.upload(number, f"report-{number}.bin", content))
        with self._lock:
            self.uploads += 1
            self.byte_count += len(content)
        if wants_comment:
            self._timed(lambda: client.create_comment(number, name, f"The report of issue {number} is attached."))

    def _timed(self, call: Callable):
        started = time.monotonic()
        result = call()
        with self._lock:
            self.longest_wait_seconds = max(self.longest_wait_seconds, time.monotonic() - started)
        return result

    def _content(self) -> bytes:
        """1 to 256 KiB, half of it text, so that compression and deduplication have something to do."""
        size = int(2 ** self._random.uniform(10, 18))
        line = b"%d: the quick brown fox jumps over the lazy dog\n" % self._random.randrange(1000)
        return self._random.randbytes(size // 2) + (line * (size // len(line) + 1))[: size - size // 2]
