"""`writer`."""

import argparse
import signal

from tracker.home import Home
from tracker.writer import Writer

STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


def writer(arguments: list[str]) -> int:
    """Writes until SIGTERM or Ctrl-C, or for a time; then says what was acknowledged."""
    parser = argparse.ArgumentParser(prog="writer", description="Write issues with uploads all the time.")
    parser.add_argument("--threads", type=int, default=4, help="writers at once (default %(default)s)")
    parser.add_argument("--rate", type=float, default=40, metavar="N", help="issues a second (default %(default)s)")
    parser.add_argument("--seconds", type=float, help="stop by itself after this time")
    given = parser.parse_args(arguments)
    if given.threads < 1 or given.rate <= 0:
        parser.error("--threads and --rate have to be positive")
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    busy = Writer(Home.find(), given.threads, given.rate)
    busy.start()
    if given.seconds is None:
        signal.sigwait(STOP_SIGNALS)
    else:
        signal.sigtimedwait(STOP_SIGNALS, given.seconds)
    busy.stop()
    print(f"writer: {busy.summary()}")
    return 0
