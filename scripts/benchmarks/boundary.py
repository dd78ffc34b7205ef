"""What the plugin boundary costs: the same backup with the store in process."""
import os
import shutil

from .processes import measure, pair, quietly, warm
from .sides import ROOT

TOOL = ROOT / ".build/release/store-bench"


def run(table, options):
    """Both sides are one program with one archiver; only the store differs."""
    if not TOOL.exists():
        return print(f"bench: boundary: there is no {TOOL}; run 'swift build -c release --product store-bench'; skipped")
    data = options.base / "boundary" / "data"
    data.mkdir(parents=True)
    quietly(["cp", "-a", "--reflink=never", "/usr/include", "/usr/share/doc", data])
    for number in range(8):
        with open(data / f"large-{number}", "wb") as file:
            file.write(os.urandom(32 << 20) + bytes(range(256)) * (1 << 18))
    warm(data)
    for number in range(max(options.pairs, 9)):
        places = [options.base / "boundary" / side for side in ("plugin", "process")]
        table.add(
            "plugin boundary", "first backup", "store in process",
            pair(
                number, lambda: measure([TOOL, "plugin", places[0], data], os.environ),
                lambda: measure([TOOL, "process", places[1], data], os.environ)))
        for place in places:
            shutil.rmtree(place)
    shutil.rmtree(options.base / "boundary")
