import json
import re
import subprocess
import sys

from tests.support import FOLDER, HomeCase


class InstallTests(HomeCase):
    def test_an_installed_tracker_needs_no_environment(self) -> None:
        target = self.home.root / "a b%"
        subprocess.run([sys.executable, FOLDER / "bin" / "install", target], check=True, capture_output=True)
        bin_folder = target / "bin"
        try:
            started = self._run(bin_folder / "start", "--background", "--port", "0")
            self.assertIn("the tracker runs", started)
            self.assertIn("writes are held", self._run(bin_folder / "pause"))
            self.assertIn("writes go on", self._run(bin_folder / "resume"))
            self.assertIn("check: whole: 0 issues", self._run(bin_folder / "check"))
        finally:
            self._run(bin_folder / "stop")

    def test_the_description_names_paths_that_exist(self) -> None:
        target = self.home.root / "tracker"
        subprocess.run([sys.executable, FOLDER / "bin" / "install", target], check=True, capture_output=True)
        text = (target / "application.yaml").read_text()
        self.assertNotIn("@HOME@", text)
        paths = [json.loads(word) for word in re.findall(r'"/[^"]*"', text)]
        self.assertEqual(len(paths), 8)
        for path in paths:
            self.assertTrue(self.home.root.joinpath(path).exists(), path)

    @staticmethod
    def _run(script, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, script, *arguments], check=True, capture_output=True, text=True, env={}).stdout


