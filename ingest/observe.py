"""Every request is named, counted, timed and logged once, in one place; no user id in the log.

`request_id` is the sender's own where it is harmless. It may come twice, so what must not be
stored over something else is named by `arrival_id`.

Next: ingest.routes
"""

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.metrics import IngestMetrics
from schemas.rejects import Reason
from schemas.request_ids import given_id, new_id

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
        state["arrival_id"] = new_id()
        state["request_id"] = given_id(scope["headers"]) or state["arrival_id"]
        structlog.contextvars.bind_contextvars(request_id=state["request_id"])
        code = 500

        async def noting_send(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
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
        if state["arrival_id"] == state["request_id"]:
            del state["arrival_id"]
        log.info("request", code=code, seconds=round(seconds, 4), **state)
