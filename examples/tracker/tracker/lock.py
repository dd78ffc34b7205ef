"""Knowing whether the server of a home runs."""

import fcntl
import os
import time

from tracker.errors import TrackerError
from tracker.home import Home


class AlreadyRunning(TrackerError):
    """Another process is the server of this home."""


class ServerLock:
    """Held by the server as long as it lives. The kernel drops it with the process, so a stale pid file means nothing
    and a pid that somebody else got meanwhile is never signalled."""

    def __init__(self, home: Home):
        self._file = open(home.pid_file, "a+", encoding="ascii")
        patience = time.monotonic() + 1  # running_pid holds the lock for moments, a server for its life
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > patience:
                    self._file.close()
                    raise AlreadyRunning(f"the tracker of {home.root} runs already") from None
                time.sleep(0.01)
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()


def running_pid(home: Home) -> int | None:
    """The pid of the server of this home; None when none runs."""
    try:
        with open(home.pid_file, encoding="ascii") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    return None
                except BlockingIOError:
                    file.seek(0)
                    if (text := file.read()).endswith("\n"):
                        return int(text)
                    time.sleep(0.01)  # it has the lock and is about to write its pid
    except FileNotFoundError:
        return None
