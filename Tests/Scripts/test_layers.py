"""scripts/layers has to find each kind of breach, and nothing else."""

import importlib.machinery
import importlib.util
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def load():
    """A fresh copy of the script as a module, with no breaches yet."""
    loader = importlib.machinery.SourceFileLoader("layers", str(ROOT / "scripts" / "layers"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("layers", loader))
    loader.exec_module(module)
    return module


class LayersTests(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="layers-test-")
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)
        self.layers = load()

    def test_an_import_outside_the_row_is_a_breach(self) -> None:
        text = "import Allowed\nprivate import struct Forbidden.Thing\nimport Glibc\n"
        self.assertEqual(
            self._breaches(text, declared=["Allowed"]),
            ["Sources/A/File.swift:2: A imports Forbidden; its row in docs/Modules.md does not allow it"])

    def test_an_import_that_is_allowed_but_not_declared_is_a_breach(self) -> None:
        self.assertEqual(
            self._breaches("import Allowed\n"),
            ["Sources/A/File.swift:1: A imports Allowed, which it does not declare in Package.swift"])

    def test_a_dependency_outside_the_row_is_a_breach(self) -> None:
        self.assertEqual(
            self._breaches("", declared=["Forbidden"]),
            ["Package.swift: A depends on Forbidden; its row in docs/Modules.md does not allow it"])

    def test_foundation_is_a_breach_in_sources(self) -> None:
        self.assertEqual(len(self._breaches("import Foundation\n")), 1)

    def test_an_import_in_a_text_is_none(self) -> None:
        self.assertEqual(self._breaches('let script = """\n    import json\n    """\n// import Forbidden\n'), [])

    def test_foundation_is_free_in_tests(self) -> None:
        self.assertEqual(self._breaches("import Foundation\nimport Testing\n", kind="test"), [])

    def test_a_file_that_is_too_long_is_a_breach(self) -> None:
        self.assertEqual(self._breaches("\n" * 500), [])
        self.assertEqual(
            self._breaches("\n" * 501), ["Sources/A/File.swift: 501 lines; the limit is 500, look for a seam"])
        self.assertEqual(self._breaches("\n" * 600, kind="test"), [])
        self.assertEqual(len(self._breaches("\n" * 601, kind="test")), 1)

    def test_declarations_without_a_comment_are_found(self) -> None:
        for text in (
            "package func work() {}",
            "public struct Thing {}",
            "package static func work() {}",
            "    package private(set) var count = 0",
            "package final class Thing {",
            "package init(count: Int) { self.count = count; start() }",
            "package typealias Name = String",
            "package protocol Doing {",
            "package nonisolated(unsafe) let shared = 0",
        ):
            with self.subTest(text=text):
                self.assertEqual(self._undocumented(text), [1])

    def test_declarations_with_a_comment_and_private_ones_are_not(self) -> None:
        for text in (
            "/// Says.\npackage func work() {}",
            "/// Says.\n@discardableResult\npackage func work() {}",
            "/// Says.\n@available(\n    *, deprecated\n)\npackage func work() {}",
            "func work() {}",
            "package import JSON",
            "package extension Thing {",
            "    override package func work() {}",
            "    package var description: String { text }",
            'let text = """\npackage func work() {}\n"""',
            "/* package func work() {}\npackage func more() {} */",
            "// package func work() {}",
            "package init(count: Int) { self.count = count }",
            "package init(\n    first: Int,\n    second: Int = 5\n) {\n    self.first = first\n    self.b = second\n}",
            "package init() {}",
        ):
            with self.subTest(text=text):
                self.assertEqual(self._undocumented(text), [])

    def test_a_comment_serves_a_run_of_properties(self) -> None:
        text = "/// Counts.\npackage var first = 0\npackage var second = 0\n\npackage var third = 0"
        self.assertEqual(self._undocumented(text), [5])
        text = "/// A pair.\npackage struct Pair {\n    package let first: Int\n    package let second: Int\n}"
        self.assertEqual(self._undocumented(text), [])
        self.assertEqual(self._undocumented(text.removeprefix("/// A pair.\n")), [1, 2, 3])

    def test_requirements_of_a_protocol_need_a_comment_and_their_answers_do_not(self) -> None:
        protocol = "/// Does.\npackage protocol Doing {\n    func work()\n    /// Says.\n    func rest()\n}\n"
        self.assertEqual(self._undocumented(protocol), [3])
        answer = "/// One.\npackage struct One: Doing {\n    package func work() {}\n    package func other() {}\n}\n"
        self.assertEqual(self._undocumented(protocol + answer), [3, 10])

    def test_rows_are_read_and_their_order_is_checked(self) -> None:
        table = self.layers.rows(
            "| `A` | g | `B` | `Logging` |\n| `B` | g | – | – |\n"
            "| `C` | g | `A` `Nothing` | – |\n| `C` | g | – | – |\n")
        self.assertEqual(list(table), ["A", "B", "C"])
        self.layers.check_order({"A": {"ours": {"B"}}, "B": {"ours": set()}, "C": {"ours": {"A", "Nothing"}}})
        self.assertEqual(self.layers.breaches, [
            "docs/Modules.md has two rows for C",
            "docs/Modules.md: A may import B, which stands below it",
            "docs/Modules.md: C may import Nothing, which is no target"])

    def _breaches(self, text: str, declared: tuple | list = (), kind: str = "regular") -> list[str]:
        folder = self.root / "Sources" / "A"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "File.swift").write_text(text)
        target = {
            "name": "A", "type": kind, "path": "Sources/A",
            "dependencies": [{"byName": [name, None]} for name in declared]}
        self.layers.breaches.clear()
        self.layers.check_target(
            target, {"ours": {"Allowed"}, "theirs": set()}, {"A", "Allowed", "Forbidden"}, {}, self.root)
        return list(self.layers.breaches)

    def _undocumented(self, text: str) -> list[int]:
        path = self.root / "File.swift"
        path.write_text(text)
        return [number for number, _ in self.layers.undocumented(path, self.layers.requirements([path]))]
