"""The server's side of the control socket; see `control` for what is said on it."""

import json
import socketserver
import threading

from tracker.control import LINE_BYTE_COUNT, short_address
from tracker.gate import DrainTimeout
from tracker.store import Store

LONGEST_LEASE_SECONDS = 3600


class ControlServer:
    """Answers on the control socket until it is closed."""

    def __init__(self, store: Store):
        path = store.home.control_socket
        path.unlink(missing_ok=True)
        with short_address(path) as address:
            self._server = _Server(address, _Handler)
        self._server.store = store
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="control", daemon=True)
        thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    store: Store


class _Handler(socketserver.StreamRequestHandler):
    timeout = 5
    server: _Server

    def handle(self) -> None:
        try:
            reply = _answer(self.server.store, json.loads(self.rfile.readline(LINE_BYTE_COUNT)))
        except DrainTimeout as error:
            reply = {"error": str(error)}
        except (ValueError, KeyError, TypeError) as error:
            reply = {"error": f"not a request: {error}"}
        self.wfile.write(json.dumps(reply).encode() + b"\n")


def _answer(store: Store, request: dict) -> dict:
    match request["command"]:
        case "pause":
            lease, drain = float(request["lease_seconds"]), float(request["drain_seconds"])
            if not 0 < lease <= LONGEST_LEASE_SECONDS:
                return {"error": f"a lease is longer than 0 and at most {LONGEST_LEASE_SECONDS} s, not {lease:g}"}
            store.gate.hold(lease, drain)
            return {"checkpointed": store.checkpoint(), "counts": store.counts()}
        case "resume":
            release = store.gate.release()
            return {
                "was_held": release.was_held, "expired": release.expired, "held_seconds": release.held_seconds}
        case other:
            return {"error": f"unknown command {other!r}"}
