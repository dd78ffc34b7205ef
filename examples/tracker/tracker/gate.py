"""The gate that every write passes: it can be held, and then writers wait instead of failing."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


class GateClosed(Exception):
    """The tracker is stopping: no write is admitted any more."""


class DrainTimeout(Exception):
    """Writes that were under way did not finish in time; the gate was opened again."""


@dataclass(frozen=True)
class Release:
    """What a release found. `expired` means that the lease ended first, so writes went on before the release."""

    was_held: bool
    expired: bool
    held_seconds: float


class WriteGate:
    """Admits any number of writers at once, or none while it is held.

    A hold is a lease: when it runs out, the writers that wait admit themselves. So nobody has to be alive for the
    application to come back, neither the one who held it nor a timer.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._condition = threading.Condition()
        self._writers = 0
        self._waiting = 0
        self._closed = False
        self._held_since: float | None = None
        self._held_until = 0.0

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Waits while the gate is held, then admits the caller until the block ends."""
        with self._condition:
            self._waiting += 1
            while not self._closed and (left := self._lease_left()) > 0:
                self._condition.wait(left)
            self._waiting -= 1
            if self._closed:
                raise GateClosed("the tracker is stopping; nothing was written")
            self._writers += 1
        try:
            yield
        finally:
            with self._condition:
                self._writers -= 1
                self._condition.notify_all()

    def hold(self, lease_seconds: float, drain_seconds: float) -> None:
        """Stops new writers and returns when those under way have finished. Holding again renews the lease.

        The lease counts from the call, not from the return. Raises DrainTimeout and opens the gate again when
        writers are still under way after `drain_seconds`.
        """
        with self._condition:
            now = self._clock()
            if self._lease_left() <= 0:
                self._held_since = now
            self._held_until = now + lease_seconds
            patience = now + min(drain_seconds, lease_seconds)
            while self._writers > 0 and (left := patience - self._clock()) > 0:
                self._condition.wait(left)
            if self._writers > 0:
                self._open()
                raise DrainTimeout(f"{self._writers} writes did not finish within {drain_seconds:g} s")

    def release(self) -> Release:
        """Admits the writers again; harmless when nothing is held."""
        with self._condition:
            if self._held_since is None:
                return Release(was_held=False, expired=False, held_seconds=0.0)
            now = self._clock()
            expired = now >= self._held_until
            held = min(now, self._held_until) - self._held_since
            self._open()
            return Release(was_held=True, expired=expired, held_seconds=held)

    def close(self) -> None:
        """Admits nobody any more (waiting writers raise GateClosed) and waits for the writes under way."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
            self._condition.wait_for(lambda: self._writers == 0)

    def lease_left(self) -> float:
        """Seconds for which writers still have to wait if nobody releases; 0 when the gate is open."""
        with self._condition:
            return max(0.0, self._lease_left())

    def waiting(self) -> int:
        """Writers that wait for the gate."""
        with self._condition:
            return self._waiting

    def _lease_left(self) -> float:
        return 0.0 if self._held_since is None else self._held_until - self._clock()

    def _open(self) -> None:
        self._held_since = None
        self._condition.notify_all()
