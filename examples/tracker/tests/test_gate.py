import threading
import unittest

from tests.support import LIMIT_SECONDS, wait_until
from tracker.gate import DrainTimeout, GateClosed, WriteGate


class GateTests(unittest.TestCase):
    def setUp(self) -> None:
        self.gate = WriteGate()
        self.log: list[str] = []

    def test_a_held_gate_blocks_a_writer_until_the_release(self) -> None:
        self.gate.hold(lease_seconds=60, drain_seconds=1)
        writer = self._writer("written")
        self._wait_until_blocked()
        self.assertEqual(self.log, [])
        release = self.gate.release()
        writer.join(LIMIT_SECONDS)
        self.assertEqual(self.log, ["written"])
        self.assertEqual((release.was_held, release.expired), (True, False))

    def test_a_hold_waits_for_the_writes_under_way(self) -> None:
        finish = threading.Event()
        entered = threading.Event()

        def write() -> None:
            with self.gate.writing():
                entered.set()
                finish.wait(LIMIT_SECONDS)
                self.log.append("written")

        writer = threading.Thread(target=write)
        writer.start()
        entered.wait(LIMIT_SECONDS)

        def hold() -> None:
            self.gate.hold(lease_seconds=60, drain_seconds=LIMIT_SECONDS)
            self.log.append("held")

        holder = threading.Thread(target=hold)
        holder.start()
        wait_until(lambda: self.gate.lease_left() > 0, "the hold has begun")
        finish.set()
        holder.join(LIMIT_SECONDS)
        writer.join(LIMIT_SECONDS)
        self.assertEqual(self.log, ["written", "held"])

    def test_a_hold_that_cannot_drain_fails_and_leaves_the_gate_open(self) -> None:
        with self.gate.writing():
            with self.assertRaises(DrainTimeout):
                self.gate.hold(lease_seconds=60, drain_seconds=0.01)
        self.assertEqual(self.gate.lease_left(), 0)
        self.assertFalse(self.gate.release().was_held)

    def test_the_end_of_the_lease_admits_the_writers_without_anybody_alive(self) -> None:
        self.gate.hold(lease_seconds=0.05, drain_seconds=1)
        self._writer("written").join(LIMIT_SECONDS)
        self.assertEqual(self.log, ["written"])
        release = self.gate.release()
        self.assertEqual((release.was_held, release.expired), (True, True))
        self.assertAlmostEqual(release.held_seconds, 0.05, places=3)

    def test_holding_again_renews_the_lease(self) -> None:
        now = [100.0]
        gate = WriteGate(clock=lambda: now[0])
        gate.hold(lease_seconds=10, drain_seconds=1)
        now[0] = 106
        gate.hold(lease_seconds=10, drain_seconds=1)
        self.assertEqual(gate.lease_left(), 10)
        now[0] = 112
        release = gate.release()
        self.assertEqual((release.was_held, release.expired, release.held_seconds), (True, False, 12))

    def test_a_release_of_nothing_is_harmless(self) -> None:
        self.assertFalse(self.gate.release().was_held)
        self.gate.hold(lease_seconds=60, drain_seconds=1)
        self.gate.release()
        self.assertFalse(self.gate.release().was_held)

    def test_closing_refuses_the_writers_that_wait(self) -> None:
        self.gate.hold(lease_seconds=60, drain_seconds=1)
        writer = self._writer("written")
        self._wait_until_blocked()
        self.gate.close()
        writer.join(LIMIT_SECONDS)
        self.assertEqual(self.log, ["refused"])

    def _writer(self, name: str) -> threading.Thread:
        def write() -> None:
            try:
                with self.gate.writing():
                    self.log.append(name)
            except GateClosed:
                self.log.append("refused")

        thread = threading.Thread(target=write)
        thread.start()
        return thread

    def _wait_until_blocked(self) -> None:
        wait_until(lambda: self.gate.waiting() == 1, "the writer waits at the gate")
