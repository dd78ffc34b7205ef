"""Backup, check and restore of a tree."""
import os
import pathlib
import shutil

from .processes import measure, pair, quietly, size_of, warm
from .sides import STILLPOINT, Ours, Restic

__all__ = ["STILLPOINT", "random", "run"]


def run(table, options, name, sources):
    """Measures on a copy of the trees, so that a part of its files can be changed."""
    sources = [source for source in sources if source]
    if not sources:
        return print(f"bench: {name}: its trees are not on this machine; skipped")
    data = options.base / name / "data"
    data.mkdir(parents=True)
    for number, source in enumerate(sources):
        quietly(["cp", "-a", "--reflink=never", source, data / str(number)])
    measure_tree(table, options, name, data, changes=True)
    shutil.rmtree(options.base / name)


def random(table, options, name, count):
    """2 GB that cannot be compressed, in `count` files."""
    data = options.base / name / "data"
    data.mkdir(parents=True)
    for number in range(count):
        with open(data / f"{number:04}", "wb") as file:
            left = 2_000_000_000 // count
            while left:
                left -= file.write(os.urandom(min(left, 1 << 20)))
    measure_tree(table, options, name, data, changes=False)
    shutil.rmtree(options.base / name)


def measure_tree(table, options, name, data, changes):
    paths = sorted(data.iterdir())
    for peer, executable in options.peers.items():
        warm(data)
        for number in range(options.pairs):
            base = options.base / name / "pair"
            ours, theirs = Ours(base / "ours", [data] if len(paths) > 20 else paths), Restic(executable, base / "theirs", [data])
            one_pair(table, name, peer, number, ours, theirs, data, changes)
            shutil.rmtree(base)


def one_pair(table, name, peer, number, ours, theirs, data, changes):
    def step(title, mine, other):
        result = pair(
            number, lambda: measure(mine, ours.environment), lambda: measure(other, theirs.environment))
        table.add(name, title, peer, result)

    step("first backup", ours.backup(), theirs.backup())
    table.add(name, "repository", peer, (size_of(ours.repository), size_of(theirs.repository)))
    step("the same again", ours.backup(), theirs.backup())
    if changes:
        change(data, number)
        step("1 % of files changed", ours.backup(), theirs.backup())
    warm(ours.repository)
    warm(theirs.repository)
    step("check --read-data", ours.command("check", "--read-data"), theirs.command("check", "--read-data"))
    targets = ours.base.parent / "o", ours.base.parent / "t"
    step(
        "restore", ours.command("restore", "latest", "--target", targets[0]),
        theirs.command("restore", "latest", "--target", targets[1]))
    shutil.rmtree(targets[1])
    # The same bytes and names by the plainest of means: what the file system itself allows.
    copy = ours.base.parent / "c"
    shutil.rmtree(targets[0])
    result = pair(
        number, lambda: measure(ours.command("restore", "latest", "--target", targets[0]), ours.environment),
        lambda: measure(["cp", "-a", "--reflink=never", data, copy], os.environ))
    table.add(name, "restore", "cp -a", result)


def change(data, number):
    """Appends a line to every hundredth regular file, other ones in each pair."""
    position = 0
    for folder, names, files in os.walk(data):
        names.sort()
        for file in sorted(files):
            path = pathlib.Path(folder) / file
            if path.is_symlink() or not path.is_file():
                continue
            position += 1
            if position % 100 == number % 100:
                with open(path, "ab") as stream:
                    stream.write(f"changed in pair {number}\n".encode())
