"""The commands behind `bin/`: arguments in, a sentence and an exit status out.

Each module imports only what it needs, because `pause` and `resume` are on the clock: the application is held while
they start.
"""

import os
import sys
from collections.abc import Callable

from tracker.errors import TrackerError


def main(command: Callable[[list[str]], int]) -> None:
    """Runs a command and ends the process: 0 done, 1 failed with a sentence on stderr, 2 wrong arguments."""
    try:
        sys.exit(command(sys.argv[1:]))
    except (TrackerError, OSError) as error:
        sys.exit(f"{os.path.basename(sys.argv[0])}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
