import http.client
import json
import os
import signal
import threading
import time
from urllib.parse import urlencode

from tests.support import HomeCase, wait_until
from tracker.lock import running_pid
from tracker.process import stop_server
from tracker.writer import Client, Rejected, Writer


class ServerTests(HomeCase):
    def setUp(self) -> None:
        super().setUp()
        self.client = self.start()

    def test_pause_blocks_the_writers_and_nothing_is_lost(self) -> None:
        busy = Writer(self.home, thread_count=4, issues_per_second=400, seed=1)
        busy.start()
        wait_until(lambda: busy.uploads >= 20, "20 uploads were acknowledged")
        self.assertIn("writes are held", self.command("pause", "--lease", "60"))
        held = self._health()
        self.assertEqual(held["state"], "held")
        self.assertEqual(self.home.database.with_name("tracker.sqlite3-wal").stat().st_size, 0)
        wait_until(lambda: self._waiting_connections() >= 4, "all four writers wait")
        self.command("check")
        self.assertEqual(self._counts(self._health()), self._counts(held))
        self.assertIn("writes go on", self.command("resume"))
        wait_until(lambda: busy.uploads >= 40, "20 more uploads were acknowledged")
        busy.stop()
        self.assertEqual(busy.failures, 0)
        counts = self._health()
        self.assertEqual((counts["issues"], counts["uploads"]), (busy.issues, busy.uploads))
        self.assertIn(f"whole: {busy.issues} issues", self.command("check"))

    def test_the_tracker_resumes_by_itself_when_the_lease_ends(self) -> None:
        self.command("pause", "--lease", "0.3")
        self.assertEqual(self.client.create_issue("waits, and is written", "", "somebody"), 1)
        done = self.run_command("resume")
        self.assertEqual(done.returncode, 0)
        self.assertIn("the lease ended before", done.stderr)

    def test_resume_succeeds_when_nothing_is_held_and_when_nothing_runs(self) -> None:
        self.assertEqual(self.command("resume"), "nothing was held\n")
        self.command("pause")
        self.command("resume")
        self.assertEqual(self.command("resume"), "nothing was held\n")
        self.command("stop")
        self.assertEqual(self.command("resume"), "the tracker is not running, so nothing is held\n")
        self.assertEqual(self.command("pause"), "the tracker is not running, so nothing writes\n")

    def test_pause_twice_holds_once(self) -> None:
        self.command("pause")
        self.command("pause")
        self.command("resume")
        self.assertEqual(self._health()["state"], "running")

    def test_a_lease_that_is_no_lease_is_refused(self) -> None:
        for lease in ("0", "-1", "1e9", "nan"):
            with self.subTest(lease=lease):
                done = self.run_command("pause", "--lease", lease)
                self.assertEqual(done.returncode, 1)
                self.assertIn("a lease is longer than 0", done.stderr)
        self.assertEqual(self._health()["state"], "running")

    def test_a_slow_upload_does_not_delay_a_pause(self) -> None:
        number = self.client.create_issue("title", "", "somebody")
        host, port = self._address()
        slow = http.client.HTTPConnection(host, port, timeout=20)
        slow.putrequest("POST", f"/api/issues/{number}/uploads?name=slow")
        slow.putheader("Content-Length", "6")
        slow.endheaders(b"abc")
        wait_until(lambda: any(self.home.uploads.rglob("*.part")), "the upload has begun")
        self.command("pause", "--drain", "5")
        slow.send(b"def")
        self.command("check")
        self.command("resume")
        self.assertEqual(slow.getresponse().status, 201)
        slow.close()
        self.command("check")

    def test_stop_and_start_keep_the_data_and_the_port(self) -> None:
        number = self.client.create_issue("title", "", "somebody")
        upload = self.client.upload(number, "file.bin", os.urandom(100_000))
        address = self._address()
        self.command("stop", "--for-restore")
        self.assertIsNone(running_pid(self.home))
        self.assertEqual(self.command("stop", "--for-restore"), "the tracker was not running\n")
        self.assertIn("the tracker runs as", self.command("start", "--after-restore"))
        self.assertEqual(self._address(), address)
        self.assertEqual(self._get(f"/api/issues/{number}")["uploads"][0]["sha256"], upload["sha256"])
        self.assertIn("whole: 1 issues, 0 comments, 1 uploads", self.command("check"))

    def test_after_a_restore_only_a_tracker_that_ran_is_started(self) -> None:
        self.command("stop")
        self.command("stop", "--for-restore")
        self.assertIn("nothing to start", self.command("start", "--after-restore"))
        self.assertIsNone(running_pid(self.home))

    def test_stopping_lets_writes_under_way_finish_and_refuses_those_that_wait(self) -> None:
        self.command("pause")
        refused = []

        def write() -> None:
            try:
                self.client.create_issue("title", "", "somebody")
            except (Rejected, OSError, http.client.HTTPException) as error:
                refused.append(error)

        thread = threading.Thread(target=write)
        thread.start()
        wait_until(lambda: self._waiting_connections() >= 1, "the write waits")
        stop_server(self.home)
        thread.join()
        self.assertEqual(len(refused), 1)
        self.command("start", "--background")
        self.assertEqual(self._health()["issues"], 0)

    def test_a_killed_server_is_not_taken_for_a_running_one(self) -> None:
        self.client.create_issue("acknowledged", "", "somebody")
        os.kill(running_pid(self.home), signal.SIGKILL)
        wait_until(lambda: running_pid(self.home) is None, "the kernel has dropped the lock")
        self.assertEqual(self.command("resume"), "the tracker is not running, so nothing is held\n")
        self.command("start", "--background")
        self.assertEqual(self._health()["issues"], 1)

    def test_a_second_server_of_the_same_home_is_refused(self) -> None:
        done = self.run_command("start", "--port", "0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("runs already", done.stderr)

    def test_a_dump_of_the_paused_tracker_equals_its_database_and_loads_again(self) -> None:
        number = self.client.create_issue("ümlaut ✓", "a;\nb", "somebody")
        self.client.upload(number, "file.bin", b"content")
        self.command("pause")
        dump = self.command("dump").encode()
        self.command("resume")
        path = self.home.root / "dump.sql"
        path.write_bytes(dump)
        data, uploads = str(self.home.data), str(self.home.uploads)
        copy = ("--data", data, "--uploads", uploads, "--dump", str(path))
        self.assertIn("the same rows in the dump", self.command("check", *copy))
        self.assertIn("stop it before", self.run_command("load", stdin=dump).stderr)
        self.command("stop")
        self.assertEqual(self.run_command("load", stdin=dump[:-20]).returncode, 1)
        self.assertIn("the same rows in the dump", self.command("check", *copy))
        self.home.database.unlink()
        self.command("load", stdin=dump)
        self.assertIn("the same rows in the dump", self.command("check", *copy))

    def test_check_fails_with_the_reason(self) -> None:
        number = self.client.create_issue("title", "", "somebody")
        upload = self.client.upload(number, "file.bin", b"content")
        (self.home.uploads / upload["id"][:2] / upload["id"]).unlink()
        done = self.run_command("check")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"upload {upload['id']} of issue 1 is in the database and not on disk", done.stderr)
        self.assertIn("NOT WHOLE: 1 faults in 1 issues", done.stderr)

    def test_the_pages_show_text_as_text(self) -> None:
        attack = "<script>alert('\"&')</script>"
        self._post_form("/new", {"title": attack, "author": attack, "body": attack})
        self._post_form("/issues/1/comments", {"author": attack, "body": attack})
        self.client.upload(1, attack + ".html", b"<script>")
        for path in ("/", "/issues/1", "/new", "/nothing"):
            status, headers, page = self._request("GET", path)
            with self.subTest(path=path):
                self.assertNotIn("<script", page.decode())
                self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
                self.assertEqual(status, 404 if path == "/nothing" else 200)
        upload = self._get("/api/issues/1")["uploads"][0]
        status, headers, body = self._request("GET", f"/uploads/{upload['id']}")
        self.assertEqual((status, body), (200, b"<script>"))
        self.assertTrue(headers["Content-Disposition"].startswith("attachment"))

    def test_a_browser_can_attach_a_file_and_close_the_issue(self) -> None:
        self._post_form("/new", {"title": "title", "author": "somebody", "body": "a\r\nb"})
        content = b"\r\n--edge-not\r\n\x00\xff" * 1000
        body = (b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a \xc3\xbc.bin"\r\n'
                b"Content-Type: application/x-thing\r\n\r\n" + content + b"\r\n--edge--\r\n")
        status, headers, _ = self._request(
            "POST", "/issues/1/uploads", body, {"Content-Type": "multipart/form-data; boundary=edge"})
        self.assertEqual((status, headers["Location"]), (303, "/issues/1"))
        self._post_form("/issues/1/state", {"state": "closed"})
        found = self._get("/api/issues/1")
        self.assertEqual((found["state"], found["body"]), ("closed", "a\nb"))
        upload = found["uploads"][0]
        self.assertEqual((upload["name"], upload["size"]), ("a ü.bin", len(content)))
        _, headers, stored = self._request("GET", f"/uploads/{upload['id']}")
        self.assertEqual((stored, headers["Content-Type"]), (content, "application/x-thing"))
        self.command("check")

    def test_bad_requests_are_answered_and_change_nothing(self) -> None:
        long_ago = time.monotonic()
        cases = [
            ("POST", "/api/issues", b"{", {}, 400),
            ("POST", "/api/issues", b"[]", {}, 400),
            ("POST", "/api/issues", b"\xff", {}, 400),
            ("POST", "/api/issues", b'{"title": "a"}', {}, 400),
            ("POST", "/api/issues", b'{"title": "a", "author": "b", "body": 5}', {}, 400),
            ("POST", "/api/issues/9/comments", b'{"author": "a", "body": "b"}', {}, 404),
            ("POST", "/api/issues/9/state", b'{"state": "open"}', {}, 404),
            ("POST", "/api/issues/9/uploads?name=a", b"abc", {}, 404),
            ("POST", "/api/issues", b"x" * (1024 * 1024 + 1), {}, 413),
            ("POST", "/api/health", b"", {}, 405),
            ("GET", "/api/issues/99999999999999999999", None, {}, 404),
            ("GET", "/api/issues?before=x", None, {}, 400),
            ("GET", "/uploads/..%2f..%2fdata", None, {}, 404),
            ("GET", "/static/../tracker/server.py", None, {}, 404),
            ("GET", "/", None, {"Host": "evil.example"}, 421),
            ("POST", "/new", b"title=a&author=b", {"Origin": "http://evil.example"}, 403),
            ("POST", "/issues/1/uploads", b"--x--", {"Content-Type": "multipart/form-data"}, 400),
        ]
        for method, path, body, headers, expected in cases:
            with self.subTest(method=method, path=path, body=(body or b"")[:30]):
                status, _, _ = self._request(method, path, body, headers)
                self.assertEqual(status, expected)
        self.assertEqual(self._counts(self._health()), (0, 0, 0))
        self.command("check")
        self.assertLess(time.monotonic() - long_ago, 60)

    def _address(self) -> tuple[str, int]:
        host, port = self.home.address_file.read_text().strip().rsplit(":", 1)
        return host, int(port)

    def _request(self, method: str, path: str, body: bytes | None = None, headers: dict | None = None):
        connection = http.client.HTTPConnection(*self._address(), timeout=20)
        try:
            try:
                connection.request(method, path, body, headers or {})
            except (BrokenPipeError, ConnectionResetError):
                # The server may answer, and close, before it was sent all of a body that it refuses.
                pass
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def _get(self, path: str) -> dict:
        status, _, body = self._request("GET", path)
        self.assertEqual(status, 200)
        return json.loads(body)

    def _post_form(self, path: str, fields: dict[str, str]) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self.assertEqual(self._request("POST", path, urlencode(fields).encode(), headers)[0], 303)

    def _health(self) -> dict:
        return self._get("/api/health")

    def _waiting_connections(self) -> int:
        return self._health()["waiting"]

    @staticmethod
    def _counts(health: dict) -> tuple[int, int, int]:
        return health["issues"], health["comments"], health["uploads"]


class WriterTests(HomeCase):
    def test_a_writer_goes_on_after_a_restart(self) -> None:
        self.start()
        busy = Writer(self.home, thread_count=2, issues_per_second=200, seed=2)
        busy.start()
        wait_until(lambda: busy.uploads >= 5, "5 uploads were acknowledged")
        self.command("stop")
        wait_until(lambda: busy.failures >= 2, "the writers have noticed")
        self.command("start", "--background")
        seen = busy.uploads
        wait_until(lambda: busy.uploads >= seen + 5, "5 more uploads were acknowledged")
        busy.stop()
        self.command("check")


class ClientTests(HomeCase):
    def test_a_client_without_a_server_says_so(self) -> None:
        with self.assertRaises(OSError):
            Client(self.home).create_issue("title", "", "somebody")
