"""`start` and `stop`."""

import argparse
import os
import signal
import threading

from tracker.control_server import ControlServer
from tracker.gate import WriteGate
from tracker.home import Home
from tracker.lock import ServerLock, running_pid
from tracker.process import ProcessError, start_in_background, stop_server
from tracker.server import TrackerServer
from tracker.store import Store

DEFAULT_PORT = 8080
STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


def start(arguments: list[str]) -> int:
    """Serves until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="start", description="Run the tracker's web server.")
    parser.add_argument("--port", type=_port_number, metavar="PORT",
                        help="port on 127.0.0.1; 0 chooses one and writes it to run/address "
                        f"(default: the port used last, else {DEFAULT_PORT})")
    parser.add_argument("--background", action="store_true", help="return when the server answers requests")
    parser.add_argument("--after-restore", action="store_true",
                        help="start in the background, but only if `stop --for-restore` stopped a server")
    parser.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    home = Home.find()
    if given.after_restore and not home.restart_marker.exists():
        print("nothing to start: no server was stopped for the restore")
        return 0
    if given.background or given.after_restore:
        pid = start_in_background(home, [] if given.port is None else ["--port", str(given.port)])
        address = home.address_file.read_text(encoding="ascii").strip()
        print(f"the tracker runs as process {pid} on http://{address}/")
        return 0
    return _serve(home, _port(home) if given.port is None else given.port, given.ready_fd)


def stop(arguments: list[str]) -> int:
    """Stops the server, in whatever way it was started, and waits for its end."""
    parser = argparse.ArgumentParser(prog="stop", description="Stop the tracker's web server.")
    parser.add_argument("--for-restore", action="store_true", help="remember to start it again: start --after-restore")
    given = parser.parse_args(arguments)
    home = Home.find()
    if given.for_restore and running_pid(home) is not None:
        home.restart_marker.touch()
    pid = stop_server(home)
    print("the tracker was not running" if pid is None else f"the tracker (process {pid}) has stopped")
    return 0


def _serve(home: Home, port: int, ready_descriptor: int | None) -> int:
    os.umask(0o022)  # whoever starts it: a person, systemd, or a restore hook with a stricter mask
    home.prepare()
    lock = ServerLock(home)
    # Every thread inherits this mask, so only sigwait below sees the signals.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    store = Store(home, WriteGate())
    try:
        server = TrackerServer(store, port)
    except OSError as error:
        raise ProcessError(f"port {port} of 127.0.0.1 cannot be used: {error.strerror}") from error
    control = ControlServer(store)
    threading.Thread(target=server.serve_forever, args=(0.05,), name="http", daemon=True).start()
    address = f"127.0.0.1:{server.server_port}"
    partial = home.address_file.with_suffix(".new")
    partial.write_text(address + "\n", encoding="ascii")
    partial.replace(home.address_file)
    home.restart_marker.unlink(missing_ok=True)
    print(f"the tracker of {home.root} listens on http://{address}/", flush=True)
    if ready_descriptor is not None:
        os.write(ready_descriptor, b"1")
        os.close(ready_descriptor)
    signal.sigwait(STOP_SIGNALS)
    server.shutdown()
    server.server_close()
    store.gate.close()
    control.close()
    store.close()
    home.control_socket.unlink(missing_ok=True)
    del lock
    return 0


def _port_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port (0 to 65535)")
    return int(text)


def _port(home: Home) -> int:
    """The port of the last start, so that a restarted tracker is found where it was."""
    try:
        return int(home.address_file.read_text(encoding="ascii").strip().rsplit(":", 1)[1])
    except (FileNotFoundError, ValueError, IndexError):
        return DEFAULT_PORT
