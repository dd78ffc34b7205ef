"""Asking a running server to hold or release its writes.

One connection, one request, one reply; each is a JSON object on a line. The socket lies in `run/`, which only the
owner can enter.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracker.errors import TrackerError

LINE_BYTE_COUNT = 4096


class ControlError(TrackerError):
    """The server refused, or could not be asked; the text says why."""


def ask(path: Path, request: dict, timeout_seconds: float) -> dict:
    """Sends a request to the server of this socket. Raises ControlError when it refuses or does not answer."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, short_address(path) as address:
            connection.settimeout(timeout_seconds)
            connection.connect(address)
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as stream:
                line = stream.readline(LINE_BYTE_COUNT)
        reply = json.loads(line)
    except (OSError, ValueError) as error:
        raise ControlError(f"the server did not answer on {path}: {error}") from error
    if "error" in reply:
        raise ControlError(reply["error"])
    return reply


@contextmanager
def short_address(path: Path) -> Iterator[str]:
    """An address for a socket of any path: sun_path has 108 bytes only (man 7 unix), /proc/self/fd/N/NAME fits."""
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
