"""TLS before a server that speaks none: what ClickHouse does on its own secure port.

Next: tests.integration.test_secure_connections
"""

import asyncio
import ssl
import threading
from contextlib import suppress

from deploy import ports
from tests.support.certificates import Authority

_CHUNK_BYTES = 64 * 1024


class TlsFront:
    """Ends TLS on a port of its own, and passes everything on to `target`, both on 127.0.0.1.

    `mutual`: only for clients whose certificate the authority has signed.
    """

    def __init__(self, target: int, authority: Authority, *, mutual: bool) -> None:
        self.port = ports.free()
        self._target = target
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*authority.issue("clickhouse"))
        if mutual:
            self._context.load_verify_locations(authority.ca_file)
            self._context.verify_mode = ssl.CERT_REQUIRED
        self._loop = asyncio.new_event_loop()
        # Refusals are what the tests look for, on the other side.
        self._loop.set_exception_handler(lambda *_: None)
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def dsn(self) -> str:
        """Where clickhouse-connect finds it."""
        return f"clickhouses://default:@127.0.0.1:{self.port}/usage"

    def start(self) -> None:
        """Take connections."""
        self._thread.start()
        listening = asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._context)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(30)

    def stop(self) -> None:
        """Take none any more, and end those there are."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _end(self) -> None:
        if self._server:
            self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, into = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await asyncio.gather(_pump(reader, into), _pump(behind, writer))
        finally:
            into.close()
            writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    writer.close()
