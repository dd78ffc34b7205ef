import sqlite3

from tests.support import StoreCase
from tracker.checking import check
from tracker.dump import DumpError, dump, load


class DumpTests(StoreCase):
    def test_a_dump_loads_into_the_same_rows(self) -> None:
        self._fill()
        path = self._write(self._lines())
        self.assertEqual(check(self.home.database, self.home.uploads, dump=path).faults, [])

    def test_a_dump_of_an_earlier_state_differs(self) -> None:
        self._fill()
        path = self._write(self._lines())
        self.store.create_issue("later", "", "somebody")
        self.assertEqual(
            check(self.home.database, self.home.uploads, dump=path).faults,
            ["table issue of the dump differs from the database"])

    def test_a_dump_cut_after_any_line_is_refused(self) -> None:
        self._fill()
        lines = self._lines()
        for count in range(len(lines)):
            with self.subTest(lines=count), self.assertRaises(DumpError):
                load(lines[:count], sqlite3.connect(":memory:", isolation_level=None))

    def test_text_that_is_no_dump_is_refused(self) -> None:
        for text in ("", "hello\n", "SELECT 1;\n-- end of the tracker's dump\n"):
            with self.subTest(text=text), self.assertRaises(DumpError):
                load(text.splitlines(keepends=True), sqlite3.connect(":memory:", isolation_level=None))

    def _fill(self) -> None:
        body = "one\ntwo;\n-- three\nümlaut ✓"
        number = self.store.create_issue("Quotes ' and \" and ; at the end;", body, "someone")
        self.store.create_comment(number, "someone", "a\n\nb;")
        self.add_upload()

    def _lines(self) -> list[str]:
        return [line + "\n" for line in dump(self.home.database)]

    def _write(self, lines: list[str]):
        path = self.home.root / "dump.sql"
        path.write_text("".join(lines), encoding="utf-8")
        return path
