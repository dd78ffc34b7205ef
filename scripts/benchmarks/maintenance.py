"""Prune, and opening a large repository."""
import json
import os
import shutil

from .processes import measure, pair, quietly, warm
from .sides import ROOT, STILLPOINT, Ours, Restic

SNAPSHOTS = 50
FILES = 4000


def prune(table, options):
    """Prune after half of 50 snapshots were forgotten; a part of the files changes between the snapshots."""
    base = options.base / "prune"
    data = base / "data"
    for folder in range(40):
        (data / f"{folder:02}").mkdir(parents=True)
    write_files(data, range(FILES), 0)
    ours = Ours(base / "ours", [data])
    sides = {name: Restic(executable, base / f"theirs-{n}", [data]) for n, (name, executable) in enumerate(options.peers.items())}
    for number in range(SNAPSHOTS):
        write_files(data, range(number * 67 % 25, FILES, 25), number)
        quietly(ours.backup(), ours.environment)
        for side in sides.values():
            quietly(side.backup(), side.environment)
    forget(ours.command, ours.environment, "snapshots")
    for peer, side in sides.items():
        forget(side.command, side.environment, "snapshots")
        kept = [(one, base / f"kept-{n}") for n, one in enumerate((ours, side))]
        for one, copy in kept:
            shutil.copytree(one.repository, copy)
        for number in range(options.pairs):
            for one, copy in kept:
                shutil.rmtree(one.repository)
                shutil.copytree(copy, one.repository)
                warm(one.repository)
            table.add(
                "prune", "half of 50 snapshots forgotten", peer,
                pair(
                    number, lambda: measure(ours.command("prune"), ours.environment),
                    lambda: measure(side.command("prune"), side.environment)))
        shutil.rmtree(ours.repository)
        shutil.copytree(kept[0][1], ours.repository)
        for _, copy in kept:
            shutil.rmtree(copy)
    shutil.rmtree(base)


def write_files(data, numbers, seed):
    """100 KB each, half of it compressible."""
    for number in numbers:
        with open(data / f"{number % 40:02}" / f"{number:05}", "wb") as file:
            file.write(os.urandom(50_000))
            file.write(f"file {number} of snapshot {seed}\n".encode() * 2000)


def forget(command, environment, listing):
    """Every other snapshot, by id, with the program that made them."""
    words = command(listing, "--json")
    found = json.loads(quietly(words, environment))
    snapshots = found["snapshots"] if isinstance(found, dict) else found
    ids = [snapshot["id"] for snapshot in snapshots]
    arguments = ["--yes"] if words[0] == STILLPOINT else []
    quietly(command("forget", *arguments, *ids[::2]), environment)


def million(table, options):
    """Listing the snapshots of a repository with 1,000,000 blobs, made by scripts/synthetic-index."""
    tool = ROOT / "scripts/synthetic-index"
    if not tool.exists():
        return print("bench: million: scripts/synthetic-index is missing; skipped")
    for peer, executable in options.peers.items():
        base = options.base / "million"
        ours, theirs = Ours(base / "ours", []), Restic(executable, base / "theirs", [])
        quietly([tool, ours.repository, ours.base / "password", "--blobs", "1000000"], ours.environment)
        shutil.rmtree(theirs.repository)
        shutil.copytree(ours.repository, theirs.repository)
        for title, mine, other in [
            ("list snapshots", ours.command("snapshots"), theirs.command("snapshots")),
            ("list the latest snapshot's files", ours.command("ls", "latest"), theirs.command("ls", "latest")),
        ]:
            quietly(mine, ours.environment)
            quietly(other, theirs.environment)
            for number in range(options.pairs):
                table.add(
                    "1,000,000 blobs", title, peer,
                    pair(
                        number, lambda: measure(mine, ours.environment), lambda: measure(other, theirs.environment)))
        shutil.rmtree(base)
