"""`dump` and `load`."""

import argparse
import sys

from tracker.dump import dump as dump_lines
from tracker.dump import replace_database
from tracker.home import Home
from tracker.lock import AlreadyRunning, running_pid


def dump(arguments: list[str]) -> int:
    """Writes the database as SQL to stdout."""
    argparse.ArgumentParser(prog="dump", description="Write the database as SQL to stdout.").parse_args(arguments)
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    for line in dump_lines(Home.find().database):
        sys.stdout.write(line + "\n")
    sys.stdout.flush()
    return 0


def load(arguments: list[str]) -> int:
    """Replaces the database by a dump from stdin."""
    argparse.ArgumentParser(
        prog="load", description="Replace the database by a dump from stdin; the server must not run.",
    ).parse_args(arguments)
    home = Home.find()
    if (pid := running_pid(home)) is not None:
        raise AlreadyRunning(f"the tracker runs (process {pid}); stop it before its database is replaced")
    sys.stdin.reconfigure(encoding="utf-8", newline="\n")
    replace_database(home.database, sys.stdin)
    print("the database was replaced by the dump")
    return 0
