"""scripts/chaos has to see every loss, and a short sample of it runs with every check."""

import importlib.machinery
import importlib.util
import os
import random
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILT = next((path for path in (ROOT / ".build/debug", ROOT / ".build/release") if (path / "stillpoint").exists()), None)


def load():
    """The script as a module."""
    loader = importlib.machinery.SourceFileLoader("chaos", str(ROOT / "scripts" / "chaos"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("chaos", loader))
    loader.exec_module(module)
    return module


class FakeWorld:
    """A repository whose snapshots the test says."""

    def __init__(self, directory: Path, snapshots: list) -> None:
        self.directory = self.repository = directory
        self.listed = snapshots
        self.commands: set = set()
        self.restored: list = []
        (directory / "locks").mkdir()

    def add_application(self, name: str):
        (self.directory / name).mkdir()
        return type("Tree", (), {"path": self.directory / name, "number": 1})()

    def snapshots(self, repository=None) -> list:
        return self.listed

    def check(self, repository=None) -> None:
        pass

    def ours(self, *words, allowed=(0,)) -> None:
        pass

    def require_equal(self, snapshot, expected, subfolder, repository=None) -> None:
        self.restored.append(snapshot["id"])


class ChaosTests(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="chaos-test-")
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)
        self.chaos = load()

    def test_each_difference_between_two_trees_is_found(self) -> None:
        changes = {
            "content": lambda path: (path / "file").write_text("other"),
            "mode": lambda path: (path / "file").chmod(0o640),
            "time": lambda path: os.utime(path / "file", ns=(1, 2)),
            "time of a directory": lambda path: os.utime(path, ns=(1, 2)),
            "target of a link": lambda path: ((path / "link").unlink(), (path / "link").symlink_to("other")),
            "hard link": lambda path: ((path / "hard").unlink(), shutil.copy2(path / "file", path / "hard")),
            "missing": lambda path: (path / "file").unlink(),
            "added": lambda path: (path / "more").write_text(""),
        }
        for name, change in changes.items():
            with self.subTest(name):
                first, second = (self._tree(f"{name} {number}") for number in (1, 2))
                self.assertEqual(self.chaos.differences(self.chaos.facts(first), self.chaos.facts(second)), [])
                change(second)
                self.assertNotEqual(self.chaos.differences(self.chaos.facts(first), self.chaos.facts(second)), [])

    def _tree(self, name: str) -> Path:
        path = self.root / name
        path.mkdir()
        (path / "file").write_text("text")
        (path / "link").symlink_to("file")
        os.link(path / "file", path / "hard")
        for entry in (path / "file", path / "link", path):
            os.utime(entry, ns=(10**18, 10**18), follow_symlinks=False)
        return path

    def test_a_tree_changes_in_every_round_and_the_same_for_the_same_seed(self) -> None:
        seen = []
        for name in ("a", "b"):
            tree = self.chaos.Tree(self.root / name, random.Random(1))
            before = self.chaos.facts(tree.path)
            tree.change()
            after = self.chaos.facts(tree.path)
            self.assertGreater(len(self.chaos.differences(before, after)), 10)
            self.assertGreater(len(after), 140)
            seen.append(sorted(after))
        self.assertEqual(seen[0], seen[1])

    def test_libcrypto_gives_the_known_answers(self) -> None:
        # FIPS 197, appendix C.1; NIST SP 800-38A, F.5.5.
        self.assertEqual(
            self.chaos.cipher(
                "EVP_aes_128_ecb", bytes(range(16)), None, bytes.fromhex("00112233445566778899aabbccddeeff")).hex(),
            "69c4e0d86a7b0430d8cdb78070b4c55a")
        self.assertEqual(
            self.chaos.cipher(
                "EVP_aes_256_ctr", bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
                bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"),
                bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")).hex(), "601ec313775789a5b7a7f504bbf3d228")

    def test_losses_are_seen(self) -> None:
        one, two = {"id": "1" * 64}, {"id": "2" * 64}
        retagged = {"id": "3" * 64, "original": one["id"]}
        cases = [
            ("nothing", "forget", [one, two], [one, two], set(), None),
            ("asked for", "forget", [one, two], [two], {one["id"]}, None),
            ("not yet gone", "forget", [one, two], [one, two], {one["id"]}, None),
            ("new tags", "tag", [one, two], [retagged, two], set(), None),
            ("new tags, interrupted", "tag", [one, two], [one, retagged, two], set(), None),
            ("a new one", "backup", [one], [one, two], set(), None),
            ("gone", "forget", [one, two], [two], set(), "is gone"),
            ("another than asked for", "forget", [one, two], [one], {one["id"]}, "is gone"),
            ("from nowhere", "prune", [one], [one, two], set(), "made the snapshot"),
        ]
        for name, command, before, after, leaving, loss in cases:
            with self.subTest(name):
                directory = Path(tempfile.mkdtemp(dir=self.root))
                world = FakeWorld(directory, after)
                kills = self.chaos.Kills(world, random.Random(1))
                kills.expected = {self.chaos.lineage(snapshot): {} for snapshot in before}
                if loss is None:
                    kills._judge(command, before, leaving)
                    self.assertEqual(
                        {self.chaos.lineage(snapshot) for snapshot in after},
                        {key for key in kills.expected if key in {self.chaos.lineage(item) for item in after}})
                    self.assertGreaterEqual(len(world.restored), len({self.chaos.lineage(item) for item in after}))
                else:
                    with self.assertRaisesRegex(self.chaos.Loss, loss):
                        kills._judge(command, before, leaving)

    def test_a_lock_that_is_left_is_a_loss(self) -> None:
        world = FakeWorld(self.root, [])
        (self.root / "locks" / "left").write_text("")
        with self.assertRaisesRegex(self.chaos.Loss, "locks .* are still there"):
            self.chaos.Kills(world, random.Random(1))._judge("backup", [], set())

    @unittest.skipUnless(BUILT and shutil.which("restic"), "nothing is built, or there is no restic")
    def test_a_dozen_kills_and_a_crowd_lose_nothing(self) -> None:
        words = [ROOT / "scripts" / "chaos", "--count", "12", "--rounds", "1", "--bin", BUILT]
        done = subprocess.run(words, capture_output=True, text=True, timeout=1800)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("nothing was lost", done.stdout)


if __name__ == "__main__":
    unittest.main()
