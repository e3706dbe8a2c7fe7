"""HTTP connections of both services: how many there are, how long they may take to say what.

uvicorn alone bounds neither: a connection that never ends its headers would live for ever, and
hold a file that a good client then has not.

Next: ingest.routes
"""

import asyncio
import json
import resource
import sys
import time
from http import HTTPStatus
from typing import Any, ClassVar

import structlog
from httptools import HttpRequestParser
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from schemas.security_headers import HEAD_LINES

log = structlog.get_logger()

# Of a body, over all; a sender on a worse line sends smaller batches.
SLOWEST_BYTES_PER_SECOND = 4096
# Attributes of binary mode stand in headers, filters of a report in the address.
HEAD_MAX_BYTES = 64 * 1024
# What a header costs beside its text, as HTTP/2 counts (RFC 9113, 6.5.2).
_HEADER_BYTES = 32
# No known client sends requests before it has read answers; a few are let.
_PIPELINE_MAX = 100
# To read an answer that is whole.
_FLUSH_SECONDS = 75.0
_SWEEP_SECONDS = 1.0
_FRAMING = (b"content-length", b"transfer-encoding")


class BoundedProtocol(HttpToolsProtocol):
    """One connection. It *waits* for its client unless a whole request is being answered."""

    room: ClassVar["Room"]

    # uvicorn narrows the argument, as the event loop does: TCP connections have this transport.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection in, where there is room."""
        super().connection_made(transport)
        self.flow = _Flow(self)
        self.arriving = self._in_head = self._again = False
        self._head_bytes = self._dripped_bytes = 0
        self._status = 400
        self._answered: RequestResponseCycle | None = None
        self.wait_anew()
        self.room.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up its place."""
        self.room.leave(self)
        self._hang_up()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def _hang_up(self) -> None:
        """Tell the request in work, too, and not only the last one that came."""
        for cycle in (self._answered, self.cycle):
            if cycle is not None:
                cycle.disconnected = True
                cycle.message_event.set()

    def wait_anew(self) -> None:
        """Count its patience from now."""
        self._since = self._heard = time.monotonic()
        self._received_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Read on; what llhttp holds of a head that is not whole is bounded too."""
        self._heard = time.monotonic()
        self._received_bytes += len(data)
        begun = self._in_head
        self._fed = data
        super().data_received(data)
        if begun and self._in_head and not self.transport.is_closing():
            self._dripped_bytes += len(data)
            if self._dripped_bytes > HEAD_MAX_BYTES:
                self.refuse(431)

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        if self._again:
            return
        super().on_message_begin()
        self.arriving = self._in_head = True
        self._head_bytes = self._dripped_bytes = 0
        self.wait_anew()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the address, within the bound of the head."""
        self._count(len(url))
        if self._in_head:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, within the bound of the head; a trailer of a body is none."""
        self._count(_HEADER_BYTES + len(name) + len(value))
        if self._in_head:
            super().on_header(name, value)

    def _count(self, size_bytes: int) -> None:
        self._head_bytes += size_bytes
        if self._head_bytes > HEAD_MAX_BYTES:
            self._status = 431
            raise ValueError("the head is too large")

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        if self._again:
            return
        if len(self.pipeline) >= _PIPELINE_MAX:
            raise ValueError("too many requests at once")
        super().on_headers_complete()
        self._in_head = False
        self._head_bytes = 0

    def on_message_complete(self) -> None:
        """Note that the request is whole; httptools takes one with an Upgrade for whole at once."""
        if self.parser.should_upgrade():
            return
        super().on_message_complete()
        self.arriving = False
        if not self.cycle.response_complete:
            self.room.busy(self)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self.wait_anew()
        self.room.idle(self)
        super().on_response_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """Go on as if nobody had offered: clients of Java offer HTTP/2 with a first request.

        httptools reads nothing after such a head, so another parser is told how its body comes.
        """
        offer = sys.exc_info()[1]
        framing = [b"%b: %b\r\n" % each for each in self.headers if each[0] in _FRAMING]
        self.parser = HttpRequestParser(self)
        self._again = True
        self.parser.feed_data(b"".join((b"POST / HTTP/1.1\r\n", *framing, b"\r\n")))
        self._again = False
        if rest := self._fed[offer.args[0] :] if offer else b"":
            self.data_received(rest)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's sentence
        """Refuse what cannot be parsed."""
        self.refuse(self._status)

    def refuse(self, status: int) -> None:
        """Say so and close; or only close where it would pass for an earlier request's answer."""
        if self._is_next_answer():
            self.transport.write(_answer(status))
        self._hang_up()
        self.transport.close()

    def _is_next_answer(self) -> bool:
        if self.arriving and not self._in_head:
            return not (self.pipeline or self.cycle.response_started)
        return self._has_answered()

    def _has_answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def is_late(self, now: float) -> bool:
        """Whether its client has had its time."""
        waited = now - self._since
        if self.transport.is_closing():
            return waited > _FLUSH_SECONDS
        if self.flow.read_paused:  # what is not read cannot come
            return False
        if self.arriving:
            paid = 0.0 if self._has_answered() else self._received_bytes / SLOWEST_BYTES_PER_SECOND
            return max(now - self._heard, waited - paid) > self.room.arrival_seconds
        idle = self.cycle and not self._received_bytes
        patience_seconds = self.timeout_keep_alive if idle else self.room.arrival_seconds
        return self._has_answered() and waited > patience_seconds

    def give_up(self) -> None:
        """End a connection that is late."""
        if self.transport.is_closing():
            self.transport.abort()
        elif self.arriving:
            self.refuse(408)
        else:
            self.transport.close()


class _Flow(FlowControl):
    """Reads nothing while a request waits for its turn, or requests would gather without end."""

    def __init__(self, connection: BoundedProtocol) -> None:
        super().__init__(connection.transport)
        self._connection = connection

    def resume_reading(self) -> None:
        if self.read_paused and not self._connection.pipeline:
            super().resume_reading()
            self._connection.wait_anew()


class Room:
    """The connections of one server: at most so many, and a look for late ones each second.

    A new one takes the place of the one that has waited longest, of those never answered first:
    so sockets that say nothing keep nobody out. It is refused only where all are being answered.
    """

    def __init__(self, most: int, *, arrival_seconds: float) -> None:
        self.most = most
        self.arrival_seconds = arrival_seconds
        self._strangers: dict[BoundedProtocol, None] = {}
        self._known: dict[BoundedProtocol, None] = {}
        self._closed = 0
        self._sweep: asyncio.TimerHandle | None = None

    def enter(self, connection: BoundedProtocol) -> None:
        """Let it in; when full, instead of another."""
        if self._sweep is None:
            self._sweep = connection.loop.call_later(_SWEEP_SECONDS, self._look, connection)
        if len(connection.connections) > self.most:
            self._closed += 1
            oldest = next(iter(self._strangers or self._known), None)
            if oldest is None:
                connection.refuse(503)
                return
            self.busy(oldest)
            oldest.transport.abort()
        self._strangers[connection] = None

    def busy(self, connection: BoundedProtocol) -> None:
        """It does not wait for its client any more."""
        self._strangers.pop(connection, None)
        self._known.pop(connection, None)

    leave = busy

    def idle(self, connection: BoundedProtocol) -> None:
        """It was answered, and waits again."""
        self.busy(connection)
        self._known[connection] = None

    def _look(self, connection: BoundedProtocol) -> None:
        now = time.monotonic()
        open_ones: set[Any] = connection.connections
        for each in list(open_ones):
            if each.is_late(now):
                each.give_up()
        if self._closed:
            log.warning("connections_full", most=self.most, closed=self._closed)
            self._closed = 0
        again = connection.loop.call_later
        self._sweep = again(_SWEEP_SECONDS, self._look, connection) if open_ones else None


def bounded(most: int, *, arrival_seconds: float) -> type[BoundedProtocol]:
    """For uvicorn's `http`: connections in a room for at most `most`, or what the system lets.

    Half of the files a process may open are for other things: the log, the store, its threads.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * most
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        most = soft // 2
    room = Room(most, arrival_seconds=arrival_seconds)
    return type("RoomProtocol", (BoundedProtocol,), {"room": room})


_DETAILS = {
    400: "This is not a request of HTTP/1.1.",
    408: "The request did not arrive in time.",
    431: f"Address and headers have at most {HEAD_MAX_BYTES} bytes.",
    503: "All connections are in use.",
}


def _answer(status: int) -> bytes:
    """A whole answer with a problem document; it is the connection's last."""
    phrase = HTTPStatus(status).phrase
    document = {"type": "about:blank", "title": phrase, "status": status}
    reason = "unavailable" if status == 503 else HTTPStatus(status).name.lower()
    body = json.dumps({**document, "reason": reason, "detail": _DETAILS[status]}).encode()
    retry = "retry-after: 1\r\n" if status == 503 else ""
    head = f"HTTP/1.1 {status} {phrase}\r\ncontent-type: application/problem+json\r\n{HEAD_LINES}"
    rest = f"content-length: {len(body)}\r\n{retry}connection: close\r\n\r\n"
    return f"{head}{rest}".encode() + body
