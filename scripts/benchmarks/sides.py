"""The two sides of a pair: how each is set up and called."""
import os
import pathlib

from .processes import quietly

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
STILLPOINT = ROOT / ".build/release/stillpoint"


class Ours:
    """Stillpoint with a state directory and a repository of its own."""

    def __init__(self, base, paths):
        self.base, self.repository = pathlib.Path(base), pathlib.Path(base) / "repository"
        self.base.mkdir(parents=True)
        (self.base / "password").write_text("bench\n")
        self.environment = dict(
            os.environ, STILLPOINT_STATE=str(self.base / "state"), STILLPOINT_PASSWORD_FILE=str(self.base / "password"))
        quietly([STILLPOINT, "init", "-q", "--set", f"path={self.repository}"], self.environment)
        if paths:
            volumes = "".join(f'    - {{name: v{n}, path: "{path}"}}\n' for n, path in enumerate(paths))
            (self.base / "application.yaml").write_text(
                "apiVersion: stillpoint/v1\nkind: Application\nmetadata: {name: bench}\nspec:\n  volumes:\n" + volumes)
            quietly([STILLPOINT, "application", "add", "-q", self.base / "application.yaml"], self.environment)

    def command(self, *words):
        return [STILLPOINT, words[0], "-q", *words[1:]]

    def backup(self):
        return self.command("backup", "--application", "bench")


class Restic:
    """Stock restic with a cache and a repository of its own."""

    def __init__(self, executable, base, paths):
        self.executable, self.paths = executable, paths
        self.base, self.repository = pathlib.Path(base), pathlib.Path(base) / "repository"
        self.base.mkdir(parents=True)
        (self.base / "password").write_text("bench\n")
        self.environment = dict(
            os.environ, RESTIC_PASSWORD_FILE=str(self.base / "password"), RESTIC_CACHE_DIR=str(self.base / "cache"))
        quietly(self.command("init", "--repository-version", "2"), self.environment)

    def command(self, *words):
        return [self.executable, "-q", "-r", self.repository, *words]

    def backup(self):
        return self.command("backup", *self.paths)
