"""Every request is counted, timed and logged once, in one place; no user id in the log.

Next: ingest.routes
"""

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.metrics import IngestMetrics
from schemas.rejects import Reason

log = structlog.get_logger()

_QUIET_PATHS = ("/health/live", "/health/ready", "/metrics")


class Observed:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp, metrics: IngestMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note what came of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        state = scope.setdefault("state", {})
        code = 500

        async def noting_send(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
                if "request_id" in state:
                    message["headers"].append((b"x-request-id", state["request_id"].encode()))
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        finally:
            if scope["path"] not in _QUIET_PATHS:
                self._note(state, code, time.monotonic() - started)

    def _note(self, state: dict[str, object], code: int, seconds: float) -> None:
        self._metrics.requests.labels(code).inc()
        self._metrics.request_seconds.observe(seconds)
        reason = state.get("reason")
        if isinstance(reason, Reason):  # the whole request: how many events it had is not known
            self._metrics.events.labels("refused", reason).inc()
        log.info("request", code=code, seconds=round(seconds, 4), **state)
