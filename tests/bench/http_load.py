"""Load on a gateway, from a process of its own: requests over kept connections, as cheap as can be.

Requests are written before, each a slice of realistic events; only the ids change on each sending,
so that no event comes twice. A connection sends its next request when it has its answer, or when
it is due. `python -m tests.bench.http_load PORT KEY` prints what came of it as JSON.

Next: tests.bench.gateway_speed
"""

import argparse
import asyncio
import json
import time
from datetime import UTC, datetime
from itertools import cycle

import httptools
import uvloop

from deploy.generate import Load, lines

USERS = 20_000
_REQUESTS = 256
# Stands in every id until it is sent; its length is that of microseconds since 1970.
_MARK = b"@@@@@@@@@@@@@@@@"


def requests(key: str, events: int) -> list[bytes]:
    """Requests of so many events each, as a sender of CloudEvents writes them."""
    load = Load(_REQUESTS * events, USERS, 1, datetime.now(UTC))
    marked = [line.encode().replace(b'"id":"', b'"id":"%s-' % _MARK, 1) for line in lines(load)]
    if events == 1:
        return [_request(key, "application/cloudevents+json", line) for line in marked]
    return [
        _request(key, "application/cloudevents-batch+json", b"[%s]" % b",".join(each))
        for each in (marked[first : first + events] for first in range(0, len(marked), events))
    ]


def _request(key: str, media_type: str, body: bytes) -> bytes:
    head = (
        "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: {media_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Sending:
    """What all connections share: the next request, and how many were answered."""

    def __init__(self, texts: list[bytes], period_seconds: float) -> None:
        self.period_seconds = period_seconds
        self.answered = 0
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._texts = cycle(texts)
        self._number = time.time_ns() // 1000

    def next(self) -> bytes:
        """The next request, with ids that were never sent."""
        self._number += 1
        return next(self._texts).replace(_MARK, b"%d" % self._number)

    def fail(self, why: str) -> None:
        """End it: a gateway that refuses is not measured."""
        if not self.failed.done():
            self.failed.set_exception(RuntimeError(why))


class Connection(asyncio.Protocol):
    """One request at a time, each when the one before is answered and its own time has come."""

    def __init__(self, sending: Sending, first_seconds: float) -> None:
        self._sending = sending
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time() + first_seconds
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The first request."""
        self._transport = transport
        self._loop.call_at(self._due, self._send)

    def _send(self) -> None:
        self._transport.write(self._sending.next())

    def data_received(self, data: bytes) -> None:
        """Some bytes of answers."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """What an answer says, in one piece: it is short."""
        if b'"rejected":[]' not in body:
            self._sending.fail(body.decode())

    def on_message_complete(self) -> None:
        """An answer."""
        if self._parser.get_status_code() != 202:
            self._sending.fail(f"HTTP {self._parser.get_status_code()}")
            return
        self._sending.answered += 1
        if self._sending.period_seconds:
            self._due += self._sending.period_seconds
            self._loop.call_at(self._due, self._send)
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing of ours ends a connection."""
        self._sending.fail(f"a connection was lost: {exc!r}")


async def send(options: argparse.Namespace) -> dict[str, float]:
    """Send for as long as asked; requests a second after the first moments, which warm it up."""
    period = options.connections * options.events / options.rate if options.rate else 0.0
    sending = Sending(requests(options.key, options.events), period)
    loop = asyncio.get_running_loop()
    began = time.time()
    for number in range(options.connections):
        first = period * number / options.connections
        await loop.create_connection(
            lambda first=first: Connection(sending, first), "127.0.0.1", options.port
        )
    await _while(sending, options.warm_seconds)
    warm, at, used = sending.answered, loop.time(), time.process_time()
    await _while(sending, options.seconds)
    seconds = loop.time() - at
    return {
        "began": began,
        "events": sending.answered * options.events,
        "events_a_second": (sending.answered - warm) * options.events / seconds,
        "cpu_share": (time.process_time() - used) / seconds,
    }


async def _while(sending: Sending, seconds: float) -> None:
    done, _ = await asyncio.wait({sending.failed}, timeout=seconds)
    for failed in done:
        failed.result()


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tests.bench.http_load", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("key")
    parser.add_argument("--events", type=int, default=100, help="events a request")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rate", type=float, help="events a second; default: all that it takes")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--warm-seconds", type=float, default=1.0)
    return parser.parse_args()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(send(parse()))))
