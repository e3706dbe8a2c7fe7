"""What is left of a worker that stopped for a person: its last metrics, served for a while.

Started in the worker's place by exec, which ends every thread and closes every connection.

Next: schemas.telemetry
"""

import os
import signal
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Told to end: blocked in the worker before the exec, so that none is lost in between.
SIGNALS = {signal.SIGTERM, signal.SIGINT}
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def command(*, host: str, port: int, seconds: float, text: int, status: int) -> list[str]:
    """The command line that serves the open file `text` for so long and exits with `status`."""
    given = (host, port, seconds, text, status)
    # Nothing of the worker's packages is needed, and they take a second to import.
    return [sys.executable, "-I", "-S", __file__, *map(str, given)]


def main(host: str, port: str, seconds: str, text: str, status: str) -> None:
    """Serve until the time is over or a signal comes."""
    with os.fdopen(int(text), "rb") as kept:
        metrics = kept.read()
    try:
        server = _server(host, int(port), metrics)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        signal.sigtimedwait(SIGNALS, float(seconds))
    finally:
        os._exit(int(status))


def _server(host: str, port: int, metrics: bytes) -> ThreadingHTTPServer:
    class Answer(BaseHTTPRequestHandler):
        """The same text whatever is asked, as prometheus_client's own server gives it."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(metrics)))
            self.end_headers()
            self.wfile.write(metrics)

        def log_message(self, *_: object) -> None:
            """Scrapes are not logged."""

    class Server(ThreadingHTTPServer):
        """A server of the host's address family."""

        address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]

    return Server((host, port), Answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
