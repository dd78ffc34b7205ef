import io
import threading

from tests.support import StoreCase
from tracker.checking import check
from tracker.store import NotFound, Refused, Store


class StoreTests(StoreCase):
    def test_an_upload_is_stored_under_its_plain_name_and_given_back(self) -> None:
        number = self.store.create_issue("title", "body", "somebody")
        received = self.store.receive(io.BytesIO(b"abc"), 3)
        identifier = self.store.attach(number, "C:\\dir\\report.txt", "text/plain", received)
        row, path = self.store.upload(identifier)
        self.assertEqual((row["name"], row["size"]), ("report.txt", 3))
        self.assertEqual(row["sha256"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        self.assertEqual(path.read_bytes(), b"abc")

    def test_an_upload_for_an_issue_that_does_not_exist_leaves_nothing(self) -> None:
        received = self.store.receive(io.BytesIO(b"abc"), 3)
        with self.assertRaises(NotFound):
            self.store.attach(7, "a", "text/plain", received)
        self._assert_no_file()

    def test_an_upload_whose_row_cannot_be_written_leaves_nothing(self) -> None:
        number = self.store.create_issue("title", "", "somebody")
        self.store._connection.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON upload BEGIN SELECT raise(ABORT, 'refused'); END")
        received = self.store.receive(io.BytesIO(b"abc"), 3)
        with self.assertRaisesRegex(Exception, "refused"):
            self.store.attach(number, "a", "text/plain", received)
        self._assert_no_file()

    def test_an_upload_that_ends_early_is_refused_and_leaves_nothing(self) -> None:
        with self.assertRaisesRegex(Refused, "ended 2 bytes early"):
            self.store.receive(io.BytesIO(b"abc"), 5)
        self._assert_no_file()

    def test_what_cannot_be_stored_is_refused_with_the_field(self) -> None:
        for title in (None, 5, "", " ", "a\x00b", "\ud800", "x" * 201):
            with self.subTest(title=title), self.assertRaisesRegex(Refused, "'title'"):
                self.store.create_issue(title, "", "somebody")
        self.assertEqual(self.store.counts()["issues"], 0)

    def test_a_start_removes_what_was_never_received_whole(self) -> None:
        _, path = self.add_upload()
        part = path.with_suffix(".part")
        part.write_bytes(b"half")
        self.store.close()
        self.store = Store(self.home, self.gate)
        self.assertFalse(part.exists())
        self.assertTrue(path.exists())

    def test_a_held_store_changes_neither_database_nor_uploads(self) -> None:
        self.add_upload()
        self.gate.hold(lease_seconds=60, drain_seconds=5)
        self.assertTrue(self.store.checkpoint())
        before = self._files()
        threads = [threading.Thread(target=self.add_upload, args=(b"x" * size,)) for size in range(8)]
        for thread in threads:
            thread.start()
        self.assertEqual(self.store.counts()["issues"], 1)
        self.assertEqual(self._files(), before)
        self.gate.release()
        for thread in threads:
            thread.join()
        report = check(self.home.database, self.home.uploads)
        self.assertEqual((report.issues, report.uploads, report.faults), (9, 9, []))

    def test_issues_come_in_pages_newest_first(self) -> None:
        for number in range(60):
            self.store.create_issue(f"issue {number + 1}", "", "somebody")
        self.store.set_state(60, "closed")
        first = self.store.issues(state="open")
        self.assertEqual((first[0]["id"], first[-1]["id"], len(first)), (59, 10, 50))
        self.assertEqual([issue["id"] for issue in self.store.issues("open", before=10)], list(range(9, 0, -1)))

    def _files(self) -> dict[str, bytes]:
        paths = [self.home.database, *self.home.uploads.rglob("*")]
        return {str(path): path.read_bytes() for path in paths if path.is_file() and path.suffix != ".part"}

    def _assert_no_file(self) -> None:
        self.assertEqual([path for path in self.home.uploads.rglob("*") if path.is_file()], [])
