"""A TCP proxy that hurts: down, silent, slow, thin, cut after bytes, answers lost or made up.

Toxiproxy does the same, but is a Go program that PyPI does not have; this is what we need of it.

Next: tests.faults.system
"""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from deploy import ports

_CHUNK_BYTES = 64 * 1024
_PATIENCE_SECONDS = 10.0


@dataclass
class Toxics:
    """What is wrong with a proxy's connections now; the defaults hurt nobody.

    `latency_seconds` delays every chunk, `bytes_per_second` thins the stream out, `slice_bytes`
    cuts it into pieces of that size. `silent` takes everything and passes nothing on.
    `answers_lost`: the peer gets the request, and the connection ends when its answer comes.
    `answers_cut_after`: so many bytes of an answer pass, then the connection ends.
    `canned`: the peer never hears of the request; these bytes are the answer.
    """

    latency_seconds: float = 0.0
    bytes_per_second: int = 0
    slice_bytes: int = 0
    silent: bool = False
    answers_lost: bool = False
    answers_cut_after: int | None = None
    canned: bytes | None = None


class Proxy:
    """Listens on `port` and passes on to `target`, both on 127.0.0.1."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = ports.free()
        self.toxics = Toxics()
        self.cuts = 0
        self._loop = _shared_loop()
        self._server: asyncio.Server | None = None
        self._pumps: set[asyncio.Task[None]] = set()

    def up(self) -> None:
        """Take connections (again), hurting nobody."""
        self.toxics = Toxics()
        if self._server is None:
            self._run(self._listen())

    def down(self) -> None:
        """Refuse connections, and reset those that are there."""
        self._run(self._close())

    def cut(self) -> None:
        """Reset the connections that are there; new ones are taken."""
        self._run(self._reset())

    def hurt(self, **toxics: Any) -> None:
        """From now on so; `up` heals."""
        self.toxics = Toxics(**toxics)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_SECONDS)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=512)

    async def _close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        await self._reset()

    async def _reset(self) -> None:
        for pump in list(self._pumps):
            pump.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pumps.add(task)
        opened = [writer]
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            opened.append(back)
            ways = [
                asyncio.ensure_future(self._requests(reader, back, writer)),
                asyncio.ensure_future(self._answers(there, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._pumps.discard(task)
            for end in opened:
                _abort(end)

    async def _requests(
        self,
        reader: asyncio.StreamReader,
        back: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
    ) -> None:
        while chunk := await reader.read(_CHUNK_BYTES):
            if self.toxics.canned is not None:
                client.write(self.toxics.canned)
                await client.drain()
                # Whoever sends a body may still be at it: an answer and then a reset.
                await asyncio.sleep(0.05)
                return
            await self._pass(chunk, back)

    async def _answers(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passed = 0
        while chunk := await there.read(_CHUNK_BYTES):
            if self.toxics.answers_lost:
                self.cuts += 1
                return
            limit = self.toxics.answers_cut_after
            if limit is not None and passed + len(chunk) > limit:
                self.cuts += 1
                writer.write(chunk[: max(0, limit - passed)])
                await writer.drain()
                return
            passed += len(chunk)
            await self._pass(chunk, writer)

    async def _pass(self, chunk: bytes, writer: asyncio.StreamWriter) -> None:
        while self.toxics.silent:  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(0.05)
        size = self.toxics.slice_bytes or len(chunk)
        if self.toxics.latency_seconds:
            await asyncio.sleep(self.toxics.latency_seconds)
        for start in range(0, len(chunk), size):
            piece = chunk[start : start + size]
            if self.toxics.bytes_per_second:
                await asyncio.sleep(len(piece) / self.toxics.bytes_per_second)
            writer.write(piece)
            await writer.drain()


def _abort(writer: asyncio.StreamWriter) -> None:
    """Reset, not close: as a crash or a firewall does."""
    with suppress(OSError):
        sock = writer.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
            )
    writer.close()


_loops: list[asyncio.AbstractEventLoop] = []


def _shared_loop() -> asyncio.AbstractEventLoop:
    """One loop in a thread of its own serves all proxies of this process."""
    if not _loops:
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, name="proxies", daemon=True).start()
        _loops.append(loop)
    return _loops[0]
