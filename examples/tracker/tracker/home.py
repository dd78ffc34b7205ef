"""Where one tracker keeps its things."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """The directory of one tracker; two trackers with two homes know nothing of each other."""

    root: Path

    @classmethod
    def find(cls) -> "Home":
        """TRACKER_HOME, or else the directory that holds `bin/` (an installed tracker needs no environment)."""
        named = os.environ.get("TRACKER_HOME")
        root = Path(named) if named else Path(__file__).resolve().parent.parent
        return cls(Path(os.path.abspath(root)))

    @property
    def uploads(self) -> Path:
        """One file for each upload: the first two digits of its id, then the id. `*.part` is still being received."""
        return self.root / "uploads"

    @property
    def data(self) -> Path:
        """The directory of the database and its WAL, and nothing else."""
        return self.root / "data"

    @property
    def database(self) -> Path:
        return self.data / "tracker.sqlite3"

    @property
    def run(self) -> Path:
        """What describes the running server: not part of any snapshot, kept when the volumes are replaced."""
        return self.root / "run"

    @property
    def control_socket(self) -> Path:
        return self.run / "control.sock"

    @property
    def pid_file(self) -> Path:
        """Holds the server's pid, and its lock (flock) as long as the server lives: the lock is the truth."""
        return self.run / "server.pid"

    @property
    def address_file(self) -> Path:
        """`host:port` of the server that runs, or ran last."""
        return self.run / "address"

    @property
    def log_file(self) -> Path:
        return self.run / "server.log"

    @property
    def restart_marker(self) -> Path:
        """Exists between a `stop --for-restore` that stopped a server and the `start` that follows."""
        return self.run / "start-after-restore"

    def prepare(self) -> None:
        """Creates the directories; `run/` is for the owner alone, because its socket can hold the writes."""
        for directory in (self.uploads, self.data, self.run):
            directory.mkdir(parents=True, exist_ok=True)
        self.run.chmod(0o700)
