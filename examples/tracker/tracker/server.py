"""The web server: pages for people, `/api` for programs, on loopback only."""

import json
import re
import shutil
import socketserver
import sqlite3
import traceback
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from tracker import pages
from tracker.gate import GateClosed
from tracker.multipart import MalformedForm, parse_form
from tracker.store import PAGE_ROW_COUNT, NotFound, Refused, Store

FORM_BYTE_COUNT = 32 * 1024 * 1024
UPLOAD_BYTE_COUNT = 1024 * 1024 * 1024
STYLE_SHEET = Path(__file__).resolve().parent.parent / "static" / "style.css"


class Failure(Exception):
    """An answer other than success, with its status."""

    def __init__(self, status: HTTPStatus, reason: str):
        super().__init__(reason)
        self.status = status


class TrackerServer(ThreadingHTTPServer):
    """Serves one store on 127.0.0.1; port 0 means any free one."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, store: Store, port: int):
        super().__init__(("127.0.0.1", port), Handler)
        self.store = store

    def server_bind(self) -> None:
        # HTTPServer.server_bind would ask the resolver for the name of this machine, which may take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]


class Handler(BaseHTTPRequestHandler):
    """One connection. A handler method is named by the table at the end of this file."""

    server: TrackerServer
    server_version = "Tracker/1"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._dispatch("GET")

    def do_POST(self) -> None:
        self._dispatch("POST")

    def log_message(self, format: str, *arguments: object) -> None:
        """Silent: what fails is logged where it fails."""

    # Pages

    def show_list(self) -> None:
        state = self._query("state")
        if state not in (None, "open", "closed"):
            raise Failure(HTTPStatus.BAD_REQUEST, "'state' is either open or closed")
        found = self._store.issues(state, self._number_in_query("before"))
        content = pages.issue_list(found, self._store.counts(), state, len(found) == PAGE_ROW_COUNT)
        self._send_page("Issues", content)

    def show_new(self) -> None:
        self._send_page("New issue", pages.new_issue())

    def show_issue(self, number: int) -> None:
        found = self._store.issue(number)
        self._send_page(found["title"], pages.issue(found))

    def submit_issue(self) -> None:
        form = self._form()
        number = self._store.create_issue(form.get("title"), form.get("body", ""), form.get("author"))
        self._redirect(f"/issues/{number}")

    def submit_comment(self, number: int) -> None:
        form = self._form()
        self._store.create_comment(number, form.get("author"), form.get("body"))
        self._redirect(f"/issues/{number}")

    def submit_state(self, number: int) -> None:
        self._store.set_state(number, self._form().get("state"))
        self._redirect(f"/issues/{number}")

    def submit_upload(self, number: int) -> None:
        file = parse_form(self.headers.get("Content-Type", ""), self._body(FORM_BYTE_COUNT)).get("file")
        if file is None or not file.filename:
            raise Failure(HTTPStatus.BAD_REQUEST, "no file was chosen")
        received = self._store.receive(_Bytes(file.content), len(file.content))
        self._store.attach(number, file.filename, _media_type(file.media_type), received)
        self._redirect(f"/issues/{number}")

    def send_style(self) -> None:
        self._send(HTTPStatus.OK, "text/css; charset=utf-8", STYLE_SHEET.read_bytes())

    def send_upload(self, identifier: str) -> None:
        """Always as a download: what somebody uploaded never runs as a page of this server."""
        row, path = self._store.upload(identifier)
        with open(path, "rb") as file:
            self._start(HTTPStatus.OK, row["media_type"], row["size"], {
                "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row['name'], safe='')}"})
            shutil.copyfileobj(file, self.wfile)

    # API

    def api_health(self) -> None:
        left = self._store.gate.lease_left()
        state = {
            "state": "held" if left > 0 else "running", "lease_left_seconds": round(left, 3),
            "waiting": self._store.gate.waiting()}
        self._send_json(state | self._store.counts())

    def api_issues(self) -> None:
        self._send_json(self._store.issues(self._query("state"), self._number_in_query("before")))

    def api_issue(self, number: int) -> None:
        self._send_json(self._store.issue(number))

    def api_create_issue(self) -> None:
        given = self._json()
        number = self._store.create_issue(given.get("title"), given.get("body", ""), given.get("author"))
        self._send_json({"id": number}, HTTPStatus.CREATED)

    def api_create_comment(self, number: int) -> None:
        given = self._json()
        self._send_json(
            {"id": self._store.create_comment(number, given.get("author"), given.get("body"))}, HTTPStatus.CREATED)

    def api_set_state(self, number: int) -> None:
        self._store.set_state(number, self._json().get("state"))
        self._send_json(self._store.issue(number))

    def api_upload(self, number: int) -> None:
        """The body is the file, of any size up to a gibibyte; `?name=` is its name."""
        received = self._store.receive(self.rfile, self._content_length(UPLOAD_BYTE_COUNT))
        media_type = _media_type(self.headers.get("Content-Type", ""))
        identifier = self._store.attach(number, self._query("name"), media_type, received)
        self._send_json(
            {"id": identifier, "size": received.size, "sha256": received.sha256}, HTTPStatus.CREATED)

    # Requests

    @property
    def _store(self) -> Store:
        return self.server.store

    def _dispatch(self, method: str) -> None:
        self._url = urlsplit(self.path)
        self._is_answered = False
        self._body_left = int(self.headers.get("Content-Length") or 0) if self._has_length() else 0
        try:
            self._refuse_strangers(method)
            self._route(method)
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception as error:
            self._fail(error)
        self._discard_body()

    def _discard_body(self) -> None:
        """Reads what was sent and not wanted, within reason: closing at once would reset the connection, and the client
        might lose the answer that tells it why."""
        left = min(self._body_left, FORM_BYTE_COUNT)
        try:
            while left > 0 and (chunk := self.rfile.read(min(left, 64 * 1024))):
                left -= len(chunk)
        except OSError:
            pass  # the client is gone

    def _route(self, method: str) -> None:
        is_known = False
        for route_method, pattern, handler in ROUTES:
            if (found := re.fullmatch(pattern, self._url.path)) is None:
                continue
            is_known = True
            if route_method == method:
                return handler(self, *(int(value) if name == "number" else value
                                       for name, value in found.groupdict().items()))
        if is_known:
            raise Failure(HTTPStatus.METHOD_NOT_ALLOWED, f"{method} is not possible here")
        raise Failure(HTTPStatus.NOT_FOUND, "there is no such page")

    def _refuse_strangers(self, method: str) -> None:
        """The tracker knows no passwords, so another site's page must not be able to use it through a browser:
        neither by a form (Origin) nor under a name of its own that resolves to 127.0.0.1 (Host)."""
        host = self.headers.get("Host", "")
        if host.rsplit(":", 1)[0] not in ("127.0.0.1", "localhost"):
            raise Failure(HTTPStatus.MISDIRECTED_REQUEST, "this server answers as 127.0.0.1 and localhost only")
        origin = self.headers.get("Origin")
        if method == "POST" and origin not in (None, f"http://{host}"):
            raise Failure(HTTPStatus.FORBIDDEN, "the form came from another site")

    def _has_length(self) -> bool:
        return re.fullmatch(r"[0-9]{1,15}", self.headers.get("Content-Length", "")) is not None

    def _content_length(self, maximum: int) -> int:
        if not self._has_length():
            raise Failure(HTTPStatus.LENGTH_REQUIRED, "the request has no Content-Length")
        if self._body_left > maximum:
            raise Failure(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {maximum} bytes")
        length, self._body_left = self._body_left, 0
        return length

    def _body(self, maximum: int) -> bytes:
        length = self._content_length(maximum)
        body = self.rfile.read(length)
        if len(body) != length:
            raise ConnectionError("the body ended early")
        return body

    def _form(self) -> dict[str, str]:
        fields = parse_qs(self._body(1024 * 1024).decode(), keep_blank_values=True, max_num_fields=20)
        return {name: values[-1] for name, values in fields.items()}

    def _json(self) -> dict:
        given = json.loads(self._body(1024 * 1024))
        if not isinstance(given, dict):
            raise Failure(HTTPStatus.BAD_REQUEST, "the body has to be a JSON object")
        return given

    def _query(self, name: str) -> str | None:
        return parse_qs(self._url.query).get(name, [None])[-1]

    def _number_in_query(self, name: str) -> int | None:
        text = self._query(name)
        if text is None:
            return None
        if not re.fullmatch(r"[0-9]{1,18}", text):
            raise Failure(HTTPStatus.BAD_REQUEST, f"'{name}' has to be a number")
        return int(text)

    # Answers

    def _send_page(self, title: str, content: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        document = pages.page(title, content, self._store.gate.lease_left())
        self._send(status, "text/html; charset=utf-8", document.encode())

    def _send_json(self, value: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(status, "application/json", json.dumps(value).encode() + b"\n")

    def _send(self, status: HTTPStatus, media_type: str, body: bytes) -> None:
        self._start(status, media_type, len(body))
        self.wfile.write(body)

    def _redirect(self, location: str) -> None:
        self._start(HTTPStatus.SEE_OTHER, "text/plain", 0, {"Location": location})

    def _start(self, status: HTTPStatus, media_type: str, length: int, more: dict[str, str] | None = None) -> None:
        self._is_answered = True
        self.send_response(status)
        headers = {
            "Content-Type": media_type, "Content-Length": str(length), "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
            "Content-Security-Policy":
                "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        }
        # A body that nobody read would be taken for the next request.
        if self._body_left > 0 or self.close_connection:
            headers["Connection"] = "close"
            self.close_connection = True
        for name, value in (headers | (more or {})).items():
            self.send_header(name, value)
        self.end_headers()

    def _fail(self, error: Exception) -> None:
        match error:
            case Failure():
                status = error.status
            case NotFound():
                status = HTTPStatus.NOT_FOUND
            case Refused() | MalformedForm():
                status = HTTPStatus.BAD_REQUEST
            case ValueError():
                status, error = HTTPStatus.BAD_REQUEST, Refused("the request is not well-formed")
            case GateClosed():
                status = HTTPStatus.SERVICE_UNAVAILABLE
            case OSError() | sqlite3.Error():
                status = HTTPStatus.INTERNAL_SERVER_ERROR
                print(f"{self.command} {self._url.path}: {error}", flush=True)
                error = Failure(status, "the tracker cannot reach its data; its log says more")
            case _:
                status = HTTPStatus.INTERNAL_SERVER_ERROR
                traceback.print_exception(error)
                error = Failure(status, "something went wrong; the tracker's log says more")
        self.close_connection = True
        if self._is_answered:
            return
        try:
            if self._url.path.startswith("/api/"):
                self._send_json({"error": str(error)}, status)
            else:
                self._send_page(str(int(status)), pages.failure(int(status), str(error)), status)
        except OSError:
            pass  # the client is gone


class _Bytes:
    """Reads from bytes in memory without copying them all again."""

    def __init__(self, content: bytes):
        self._rest = memoryview(content)

    def read(self, count: int) -> memoryview:
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken


def _media_type(text: str) -> str:
    found = re.match(r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}", text)
    return found[0] if found else "application/octet-stream"


NUMBER = r"(?P<number>[0-9]{1,18})"

ROUTES: list[tuple[str, str, Callable]] = [
    ("GET", r"/", Handler.show_list),
    ("GET", r"/new", Handler.show_new),
    ("POST", r"/new", Handler.submit_issue),
    ("GET", rf"/issues/{NUMBER}", Handler.show_issue),
    ("POST", rf"/issues/{NUMBER}/comments", Handler.submit_comment),
    ("POST", rf"/issues/{NUMBER}/state", Handler.submit_state),
    ("POST", rf"/issues/{NUMBER}/uploads", Handler.submit_upload),
    ("GET", r"/uploads/(?P<identifier>[0-9a-f]{32})", Handler.send_upload),
    ("GET", r"/static/style\.css", Handler.send_style),
    ("GET", r"/api/health", Handler.api_health),
    ("GET", r"/api/issues", Handler.api_issues),
    ("POST", r"/api/issues", Handler.api_create_issue),
    ("GET", rf"/api/issues/{NUMBER}", Handler.api_issue),
    ("POST", rf"/api/issues/{NUMBER}/comments", Handler.api_create_comment),
    ("POST", rf"/api/issues/{NUMBER}/state", Handler.api_set_state),
    ("POST", rf"/api/issues/{NUMBER}/uploads", Handler.api_upload),
]
