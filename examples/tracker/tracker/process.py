"""Starting the server of a home in the background, and stopping it."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from tracker.errors import TrackerError
from tracker.home import Home
from tracker.lock import running_pid

START_SECONDS = 60
STOP_SECONDS = 25


class ProcessError(TrackerError):
    """The server could not be started or stopped; the text says why."""


def start_in_background(home: Home, arguments: list[str]) -> int:
    """Starts the server in a session of its own and returns its pid when it answers requests."""
    home.prepare()
    if (pid := running_pid(home)) is not None:
        return pid
    ready, ready_write = os.pipe()
    with open(home.log_file, "ab") as log:
        offset = log.seek(0, os.SEEK_END)
        child = subprocess.Popen(
            [sys.executable, str(_script("start")), *arguments, "--ready-fd", str(ready_write)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[ready_write], start_new_session=True,
            cwd=home.root, env=os.environ | {"TRACKER_HOME": str(home.root)})
    os.close(ready_write)
    with os.fdopen(ready, "rb") as pipe:
        # The server writes a byte when it answers; its death closes the pipe.
        if _read_byte(pipe.fileno(), START_SECONDS):
            return child.pid
    if child.poll() is None:
        child.terminate()
    with open(home.log_file, "rb") as log:
        log.seek(offset)
        said = log.read().decode(errors="replace").strip()
    raise ProcessError(f"the tracker of {home.root} did not start: {said or 'it said nothing'}")


def stop_server(home: Home) -> int | None:
    """Asks the server to stop and waits until it has; its pid, or None when none ran."""
    pid = running_pid(home)
    if pid is None:
        return None
    os.kill(pid, signal.SIGTERM)
    patience = time.monotonic() + STOP_SECONDS
    while running_pid(home) is not None:
        if time.monotonic() > patience:
            raise ProcessError(f"the tracker (process {pid}) did not stop within {STOP_SECONDS} s")
        time.sleep(0.02)
    return pid


def _script(name: str) -> Path:
    return Path(__file__).resolve().parent.parent / "bin" / name


def _read_byte(descriptor: int, seconds: float) -> bytes:
    readable, _, _ = select.select([descriptor], [], [], seconds)
    return os.read(descriptor, 1) if readable else b""
