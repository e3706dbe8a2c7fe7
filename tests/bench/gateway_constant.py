"""A server that reads a request and knows its answer: what the load itself can reach at most.

Next: tests.bench.http_load
"""

import asyncio

import httptools
import uvloop

from schemas.settings import IngestSettings

_EMPTY = b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n"


class Constant(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Get ready to read."""
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """Some bytes of requests."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """A whole request: events are accepted, and questions are answered."""
        posted = self._parser.get_method() == b"POST"
        self._transport.write(_EMPTY % (b"202 Accepted" if posted else b"200 OK"))


async def main() -> None:
    """Listen until killed."""
    settings = IngestSettings()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Constant, settings.ingest_host, settings.ingest_port)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
