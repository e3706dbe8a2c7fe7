"""A file as an answer: it ends whole, or its transfer breaks.

Next: query_service.routes.exports
"""

from collections.abc import Iterator
from itertools import chain

import anyio
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from query_service.export import Export
from schemas.rejects import Unavailable
from schemas.telemetry import QueryMetrics

log = structlog.get_logger()


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
    ) -> None:
        """Make the first piece: what fails until then is an ordinary problem."""
        try:
            first = next(pieces, b"")
        except BaseException:
            export.close()
            raise
        super().__init__(chain([first], pieces), headers=headers, media_type=media_type)
        self._export = export
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it all, unless the client leaves."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._export.close)

    async def stream_response(self, send: Send) -> None:
        """Send the pieces. Without the message that ends it, the server breaks the transfer."""
        try:
            await super().stream_response(send)
        except Unavailable as error:
            log.warning("export_broken", what=error.what, rows=self._export.rows_written)
            self._metrics.query_errors.labels(reason="unavailable").inc()
