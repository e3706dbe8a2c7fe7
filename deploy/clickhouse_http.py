"""The HTTP server in front of chDB: a thread for each connection, one exchange after the other.

Next: deploy.clickhouse_exchange
"""

from __future__ import annotations

import socket
import socketserver
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from deploy.chdb_engine import EngineError
from deploy.clickhouse_answer import ClientGone
from deploy.clickhouse_body import BrokenBody, receive
from deploy.clickhouse_exchange import Exchange, Service

# A connection that neither sends nor takes anything for so long is closed, as in ClickHouse.
IDLE_SECONDS = 300


class ClickHouseServer(ThreadingHTTPServer):
    """Listens, and knows which exchanges are under way."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], *, service: Service) -> None:
        super().__init__(address, Handler)
        self.service = service
        self.active: dict[str, socket.socket] = {}

    def server_bind(self) -> None:
        """Bind, without http.server's look-up of the host's name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        host, port = self.server_address[:2]
        self.server_name, self.server_port = str(host), port

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away between two requests."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # only printed


class Handler(BaseHTTPRequestHandler):
    """One connection; its requests come one after the other."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    server: ClickHouseServer

    def do_GET(self) -> None:
        """A health check, or a query that may not write."""
        if urlsplit(self.path).path in {"/ping", "/replicas_status"}:
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"Ok.\n")
        else:
            self._exchange({"readonly": "2"})

    def do_POST(self) -> None:
        """Any statement."""
        self._exchange({})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Nothing: every statement is in the query log."""

    def _exchange(self, settings: dict[str, str]) -> None:
        with self.server.service.spool() as body:
            try:
                chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
                size = None if chunked else int(self.headers.get("Content-Length") or 0)
                receive(self.rfile, size, body)
            except (BrokenBody, ValueError, OSError):
                self.close_connection = True
                return
            tag = str(uuid.uuid4())
            exchange = Exchange(self, self.server.service, tag=tag)
            self.server.active[tag] = self.connection
            try:
                exchange.run(body, settings)
            except EngineError as error:
                exchange.fail(error)
            except (ClientGone, ConnectionError, TimeoutError):
                exchange.gone()
            finally:
                del self.server.active[tag]
                exchange.log()
