"""The answer to one request: its headers, and its content whole or piece by piece.

Next: deploy.query_log
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable, Generator, Iterator
from http.server import BaseHTTPRequestHandler
from typing import IO

from deploy.chdb_engine import TIMEZONE

# An answer up to this size is known to be whole, or failed, before its status is sent.
BUFFER_BYTES = 1024 * 1024


class ClientGone(Exception):  # noqa: N818 - it names what happened
    """The client closed its connection before its answer."""


class Answer:
    """Writes ClickHouse's headers and the content; `begun` once a status has been sent."""

    def __init__(self, handler: BaseHTTPRequestHandler, *, summary: Callable[[], str]) -> None:
        self.begun = False
        self._handler = handler
        self._summary = summary

    def send_whole(
        self,
        content: bytes,
        *,
        query_id: str,
        format_: str | None,
        status: int = 200,
        code: int = 0,
    ) -> None:
        """Send a small answer, or an error with its code."""
        headers = {"Content-Length": str(len(content))}
        if code:
            headers["X-ClickHouse-Exception-Code"] = str(code)
        self._send_headers(status, query_id, format_, headers)
        self._handler.wfile.write(content)

    def send_pieces(
        self,
        pieces: Iterator[bytes],
        *,
        query_id: str,
        format_: str,
        compression: str,
        spool: IO[bytes],
        wait: bool,
    ) -> None:
        """Send an answer as it comes, or with `wait` once all of it is in the spool."""
        whole = _buffer(pieces, spool, wait=wait)
        headers = {} if compression == "none" else {"Content-Encoding": compression}
        if whole:
            headers["Content-Length"] = str(spool.tell())
        else:
            headers["Transfer-Encoding"] = "chunked"
        spool.seek(0)
        self._send_headers(200, query_id, format_, headers)
        for piece in iter(lambda: spool.read(BUFFER_BYTES), b""):
            self._send_piece(piece, chunked=not whole)
        if whole:
            return
        for piece in pieces:
            self._send_piece(piece, chunked=True)
        self._handler.wfile.write(b"0\r\n\r\n")

    def _send_piece(self, piece: bytes, *, chunked: bool) -> None:
        framed = b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece
        self._handler.wfile.write(framed)

    def _send_headers(
        self, status: int, query_id: str, format_: str | None, more: dict[str, str]
    ) -> None:
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-ClickHouse-Server-Display-Name": "chdb",
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Timezone": TIMEZONE,
            "X-ClickHouse-Summary": self._summary(),
            **more,
        }
        # A statement without a result has no format: clickhouse-connect goes by it.
        if format_ is not None:
            headers["X-ClickHouse-Format"] = format_
        self.begun = True
        self._handler.send_response(status)
        for name, value in headers.items():
            self._handler.send_header(name, value)
        self._handler.end_headers()


def _buffer(pieces: Iterator[bytes], spool: IO[bytes], *, wait: bool) -> bool:
    """Whether the pieces ended before the buffer was full."""
    for piece in pieces:
        spool.write(piece)
        if not wait and spool.tell() >= BUFFER_BYTES:
            return False
    return True


def pieces_of(reader: int, connection: socket.socket) -> Generator[bytes]:
    """What the engine writes into the pipe, while the client is there."""
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    poll.register(connection, select.POLLIN)
    while True:
        ready = [fd for fd, _ in poll.poll()]
        if reader in ready:
            piece = os.read(reader, BUFFER_BYTES)
            if not piece:
                return
            yield piece
        elif connection.recv(1, socket.MSG_PEEK):
            # The next request is here already; it waits for its turn.
            poll.unregister(connection)
        else:
            raise ClientGone
