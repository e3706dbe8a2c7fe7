"""No request body is read past its limit: it is in memory before anybody has asked for a key.

Next: query_service.app
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from query_service.problems import Problem, document
from schemas.telemetry import QueryMetrics

# A key for a thousand teams fits, whatever their ids are made of.
BODY_MAX_BYTES = 2 << 20
# As much as the gateway takes: a directory comes in files, and seats by the ten thousand.
DIRECTORY_MAX_BYTES = 8 << 20
_SEATS = ("/v1/assign", "/v1/unassign", "/v1/move-to-flex")


class BodyLimit:
    """ASGI middleware: 413 for a body above the limit, announced or not."""

    def __init__(self, app: ASGIApp, metrics: QueryMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body read, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most_bytes = limit_of(scope["path"])
        whole = await _read(receive, most_bytes)
        if whole is not None:
            await self._app(scope, _again(whole, receive), send)
            return
        problem = Problem(413, "body_too_large", f"A body has at most {most_bytes} bytes.")
        self._metrics.query_errors.labels(reason=problem.reason).inc()
        await document(problem)(scope, receive, send)


def limit_of(path: str) -> int:
    """The most bytes of a body that is sent to `path`."""
    large = "/v1/directory/" in path or path.endswith(_SEATS)
    return DIRECTORY_MAX_BYTES if large else BODY_MAX_BYTES


async def _read(receive: Receive, most_bytes: int) -> Message | None:
    """The body as one message; None as soon as it is above the limit."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > most_bytes:
            return None
        more = message.get("more_body", False)
    # Of a client that went away there is more, which never comes.
    gone = message["type"] == "http.disconnect"
    return {"type": "http.request", "body": bytes(body), "more_body": gone}


def _again(whole: Message, receive: Receive) -> Receive:
    """What the client sends, with the body in one piece."""
    first = [whole]

    async def next_message() -> Message:
        return first.pop() if first else await receive()

    return next_message
