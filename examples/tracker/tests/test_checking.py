from tests.support import StoreCase
from tracker.checking import check
from tracker.store import upload_path


class CheckTests(StoreCase):
    def test_data_that_agrees_is_whole(self) -> None:
        self.add_upload(b"1234")
        self.add_upload(b"")
        report = self._check()
        self.assertEqual((report.issues, report.uploads, report.byte_count, report.faults), (2, 2, 4, []))

    def test_a_missing_upload_is_found(self) -> None:
        identifier, path = self.add_upload()
        path.unlink()
        self.assertEqual(self._check().faults, [f"upload {identifier} of issue 1 is in the database and not on disk"])

    def test_another_content_of_the_same_size_is_found(self) -> None:
        identifier, path = self.add_upload(b"1234")
        path.write_bytes(b"1235")
        self.assertEqual(
            self._check().faults,
            [f"upload {identifier} of issue 1 has another content than the database says (sha256)"])

    def test_another_size_is_found(self) -> None:
        identifier, path = self.add_upload(b"1234")
        path.write_bytes(b"123")
        self.assertEqual(
            self._check().faults,
            [f"upload {identifier} of issue 1 has 3 bytes on disk and 4 in the database"])

    def test_an_upload_without_a_row_is_found(self) -> None:
        self.add_upload()
        orphan = upload_path(self.home.uploads, "ab" * 16)
        orphan.parent.mkdir(exist_ok=True)
        orphan.write_bytes(b"nobody's")
        self.assertEqual(self._check().faults, [f"upload {'ab' * 16} has no row in the database"])

    def test_a_file_in_the_wrong_place_is_found(self) -> None:
        identifier, path = self.add_upload()
        wrong = self.home.uploads / identifier
        path.rename(wrong)
        self.assertEqual(
            self._check().faults,
            [f"{wrong} lies where no upload belongs",
             f"upload {identifier} of issue 1 is in the database and not on disk"])

    def test_an_upload_that_is_still_being_received_is_not_counted(self) -> None:
        _, path = self.add_upload()
        path.with_suffix(".part").write_bytes(b"half")
        self.assertEqual(self._check().faults, [])

    def test_a_file_whose_row_comes_a_moment_later_is_no_fault_of_a_running_tracker(self) -> None:
        identifier, path = self.add_upload()
        late = [self.store._rows("SELECT * FROM upload")[0]]
        self.store._connection.execute("DELETE FROM upload")

        def is_live() -> bool:
            while late:
                values = list(late.pop().values())
                self.store._connection.execute("INSERT INTO upload VALUES (?, ?, ?, ?, ?, ?, ?)", values)
            return True

        report = check(self.home.database, self.home.uploads, is_live=is_live)
        self.assertEqual(report.faults, [])
        self.assertTrue(path.exists(), identifier)

    def test_missing_data_is_a_fault_and_not_a_crash(self) -> None:
        self.assertIn("unable to open", check(self.home.root / "nothing", self.home.uploads).faults[0])
        self.assertIn("no directory", check(self.home.database, self.home.root / "nothing").faults[0])

    def test_a_damaged_database_is_a_fault(self) -> None:
        for _ in range(50):
            self.add_upload()
        self.store.checkpoint()
        content = bytearray(self.home.database.read_bytes())
        content[4096:-4096] = bytes(len(content) - 8192)
        damaged = self.home.root / "damaged.sqlite3"
        damaged.write_bytes(content)
        self.assertNotEqual(check(damaged, self.home.uploads).faults, [])

    def test_a_row_that_refers_to_nothing_is_found(self) -> None:
        self.add_upload()
        self.store._connection.execute("PRAGMA foreign_keys=OFF")
        self.store._connection.execute("DELETE FROM issue")
        self.assertEqual(self._check().faults[0], "row 1 of upload refers to a row of issue that does not exist")

    def _check(self):
        return check(self.home.database, self.home.uploads)
