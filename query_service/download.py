"""A file as an answer: it ends whole, or its transfer breaks.

Next: query_service.routes.exports
"""

import asyncio
from collections.abc import Callable, Iterator
from itertools import chain

import anyio
import structlog
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from query_service.export import Export
from schemas.metrics import QueryMetrics
from schemas.rejects import Unavailable
from sinks.audit import BROKEN_OFF, DONE

log = structlog.get_logger()

# How soon it is noticed that the client has gone before there was anything to send.
LOOK_SECONDS = 0.5
# A client that takes nothing for so long is taken to be gone.
STALLED_SECONDS = 120.0


async def unless_gone(
    request: Request, begin: Callable[[], Response], end: Callable[[], None]
) -> Response:
    """What `begin` makes, in a thread; `end` is to stop it if the client leaves meanwhile."""
    work = asyncio.ensure_future(run_in_threadpool(begin))
    while not work.done():
        await asyncio.wait({work}, timeout=LOOK_SECONDS)
        # The query may only now be under way: end it until it has ended.
        if not work.done() and await request.is_disconnected():
            await run_in_threadpool(end)
    return work.result()


class Download(StreamingResponse):
    """The pieces of an export that has begun; whatever happens, it is closed in the end."""

    def __init__(
        self,
        export: Export,
        pieces: Iterator[bytes],
        *,
        headers: dict[str, str],
        media_type: str,
        metrics: QueryMetrics,
        ended: Callable[[str], None],
    ) -> None:
        """Make the first piece: what fails until then is an ordinary problem.

        `ended` is told once how the transfer went: one of sinks.audit.RESULTS.
        """
        try:
            first = next(pieces, b"")
        except BaseException:
            export.close()
            raise
        super().__init__(chain([first], pieces), headers=headers, media_type=media_type)
        self._export = export
        self._metrics = metrics
        self._ended = ended
        self._result = BROKEN_OFF

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it all, unless the client leaves."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._export.close)
                await run_in_threadpool(self._ended, self._result)

    async def stream_response(self, send: Send) -> None:
        """Send the pieces. Without the message that ends it, the server breaks the transfer."""

        async def in_time(message: Message) -> None:
            with anyio.fail_after(STALLED_SECONDS):
                await send(message)

        try:
            await super().stream_response(in_time)
            self._result = DONE
        except Unavailable as error:
            self._broken("unavailable", error.what)
        except TimeoutError:
            self._broken("stalled", "client")

    def _broken(self, reason: str, what: str) -> None:
        log.warning("export_broken", reason=reason, what=what, rows=self._export.rows_written)
        self._metrics.query_errors.labels(reason=reason).inc()
