"""`check`."""

import argparse
import sys
from pathlib import Path

from tracker import checking
from tracker.home import Home
from tracker.lock import running_pid


def check(arguments: list[str]) -> int:
    """Proves that database and uploads agree, of the tracker itself or of a copy of its volumes."""
    parser = argparse.ArgumentParser(prog="check", description="Check that the database and the uploads agree.")
    parser.add_argument("--data", metavar="DIR", help="the data volume (default: that of TRACKER_HOME)")
    parser.add_argument("--uploads", metavar="DIR", help="the uploads volume (default: that of TRACKER_HOME)")
    parser.add_argument("--dump", metavar="FILE", help="a dump that has to contain the same rows")
    given = parser.parse_args(arguments)
    home = Home.find()
    if (given.data is None) != (given.uploads is None):
        parser.error("--data and --uploads go together: they are two halves of one tracker")
    is_copy = given.data is not None
    data, uploads = (Path(given.data), Path(given.uploads)) if is_copy else (home.data, home.uploads)
    report = checking.check(
        data / home.database.name, uploads, Path(given.dump) if given.dump else None,
        is_live=lambda: not is_copy and running_pid(home) is not None)
    for fault in report.faults[:20]:
        print(f"check: {fault}", file=sys.stderr)
    if report.faults:
        print(f"check: NOT WHOLE: {len(report.faults)} faults in {report.summary()}", file=sys.stderr)
        return 1
    print(f"check: whole: {report.summary()}{' and the same rows in the dump' if given.dump else ''}")
    return 0
