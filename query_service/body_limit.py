"""No request body is read past its limit: it is in memory before anybody has asked for a key.

Next: query_service.app
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from query_service.problems import Problem, document
from schemas.metrics import QueryMetrics

# A key for a thousand teams fits, whatever their ids are made of.
BODY_MAX_BYTES = 2 << 20
# As much as the gateway takes: a directory comes in files, and seats by the ten thousand.
DIRECTORY_MAX_BYTES = 8 << 20
# Of all requests together; the largest and the common ones fit many times.
HELD_MAX_BYTES = 64 << 20
_SEATS = ("/v1/assign", "/v1/unassign", "/v1/move-to-flex")


class BodyLimit:
    """ASGI middleware: 413 for a body above the limit, announced or not; 503 for one too many."""

    def __init__(self, app: ASGIApp, metrics: QueryMetrics) -> None:
        self._app = app
        self._metrics = metrics
        self._held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body read, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        held_bytes = 0
        try:
            gone = await self._fill(body, receive, limit_of(scope["path"]))
            held_bytes = len(body)
            # Of a client that went away there is more, which never comes.
            whole = {"type": "http.request", "body": bytes(body), "more_body": gone}
            body.clear()
            await self._app(scope, _again(whole, receive), send)
        except _Refused as refused:
            problem = refused.problem
            self._metrics.query_errors.labels(reason=problem.reason).inc()
            await document(problem)(scope, receive, send)
        finally:
            self._held_bytes -= len(body) + held_bytes

    async def _fill(self, body: bytearray, receive: Receive, most_bytes: int) -> bool:
        """Read the body; whether its client went away. Raises _Refused at the first byte beyond."""
        more = True
        while more:
            message = await receive()
            piece = message.get("body", b"")
            body += piece
            self._held_bytes += len(piece)
            if len(body) > most_bytes:
                detail = f"A body has at most {most_bytes} bytes."
                raise _Refused(Problem(413, "body_too_large", detail))
            if self._held_bytes > HELD_MAX_BYTES:
                raise _Refused(Problem(503, "unavailable", "Too many bodies at once."))
            more = message.get("more_body", False)
        return bool(message["type"] == "http.disconnect")


class _Refused(Exception):  # noqa: N818 - named for what happened, as the style asks
    """A body that is not taken in."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def limit_of(path: str) -> int:
    """The most bytes of a body that is sent to `path`."""
    large = "/v1/directory/" in path or path.endswith(_SEATS)
    return DIRECTORY_MAX_BYTES if large else BODY_MAX_BYTES


def _again(whole: Message, receive: Receive) -> Receive:
    """What the client sends, with the body in one piece."""
    first = [whole]

    async def next_message() -> Message:
        return first.pop() if first else await receive()

    return next_message
