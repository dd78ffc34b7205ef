"""`pause` and `resume`."""

import argparse
import sys

from tracker.control import ControlError, ask
from tracker.home import Home
from tracker.lock import running_pid


def pause(arguments: list[str]) -> int:
    """Brings the tracker to its still point: writes wait, the WAL is empty, and reading goes on."""
    parser = argparse.ArgumentParser(prog="pause", description="Hold all writes until `resume` or the lease's end.")
    parser.add_argument("--lease", type=float, default=120, metavar="SECONDS",
                        help="writes go on by themselves after this time (default %(default)s)")
    parser.add_argument("--drain", type=float, default=20, metavar="SECONDS",
                        help="how long writes under way may take to finish (default %(default)s)")
    given = parser.parse_args(arguments)
    home = Home.find()
    if running_pid(home) is None:
        print("the tracker is not running, so nothing writes")
        return 0
    request = {"command": "pause", "lease_seconds": given.lease, "drain_seconds": given.drain}
    reply = ask(home.control_socket, request, timeout_seconds=given.drain + 15)
    counts = reply["counts"]
    print(f"writes are held for at most {given.lease:g} s at {counts['issues']} issues, {counts['comments']} comments "
          f"and {counts['uploads']} uploads")
    if not reply["checkpointed"]:
        print("a reader kept the WAL from being emptied; it is part of the data directory and belongs to the copy")
    return 0


def resume(arguments: list[str]) -> int:
    """Lets the tracker go on; success whenever writes are possible afterwards or nothing runs."""
    argparse.ArgumentParser(prog="resume", description="Let writes go on.").parse_args(arguments)
    home = Home.find()
    if running_pid(home) is None:
        print("the tracker is not running, so nothing is held")
        return 0
    try:
        reply = ask(home.control_socket, {"command": "resume"}, timeout_seconds=15)
    except ControlError:
        if running_pid(home) is None:  # it stopped while it was asked
            print("the tracker has stopped, so nothing is held")
            return 0
        raise
    if not reply["was_held"]:
        print("nothing was held")
    elif reply["expired"]:
        print(f"the lease ended before: writes went on by themselves after {reply['held_seconds']:.3f} s, so a copy "
              "that took longer is not of one moment", file=sys.stderr)
    else:
        print(f"writes go on; they were held for {reply['held_seconds']:.3f} s")
    return 0
