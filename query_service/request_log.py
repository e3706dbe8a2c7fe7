"""One log line a request: never its query string, which may name a user. Every request has an id.

Plain ASGI: Starlette's own "http" middleware ends a body properly even when its making failed, and
then a part of an export would pass for the whole.
Next: query_service.app
"""

import hashlib
import time

import structlog
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from query_service.audit import asking
from query_service.sessions import COOKIE
from schemas.request_ids import given_id, new_id
from sinks.audit import Actor

log = structlog.get_logger()


class RequestLog:
    """ASGI middleware: method, route, status and time of each request, when it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and log how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        status = None
        request_id = given_id(scope["headers"]) or new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        asking.set(_actor(scope, request_id))

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", request_id.encode()))
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            log.info(
                "request",
                method=scope["method"],
                route=getattr(scope.get("route"), "path", None),
                status=status,
                seconds=round(time.perf_counter() - begun, 4),
            )


def _actor(scope: Scope, request_id: str) -> Actor:
    """Who asks, as far as is known before the key: by the API or the page, in which session."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    if path.startswith("/v1/"):
        return Actor("api", request_id=request_id)
    cookies = [value for name, value in scope["headers"] if name == b"cookie"]
    sealed = cookie_parser(b"; ".join(cookies).decode("latin-1")).get(COOKIE, "")
    session = hashlib.sha256(sealed.encode()).hexdigest()[:16] if sealed else ""
    return Actor("page", session=session, request_id=request_id)
