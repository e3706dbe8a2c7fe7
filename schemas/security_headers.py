"""What browsers may do with an answer of ours: headers that every answer of both services has.

Next: query_service.page.rendering
"""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# An answer that is no page: nothing of it is run, framed, guessed at, kept, or told to others.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# The same as they stand before an answer that is no application's.
HEAD_LINES = "".join(f"{name.lower()}: {value}\r\n" for name, value in HEADERS.items())
# Behind TLS alone: over plain HTTP browsers ignore it, and it must not be promised.
_TLS_ALONE = {"Strict-Transport-Security": "max-age=31536000"}


def secure(headers: MutableHeaders, scheme: str) -> None:
    """Add what an answer does not say otherwise; `scheme` is what the client came by."""
    for name, value in {**HEADERS, **(_TLS_ALONE if scheme == "https" else {})}.items():
        headers.setdefault(name, value)


class SecurityHeaders:
    """ASGI middleware around everything, answers to mistakes of our own included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and complete its answer's headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def securing(message: Message) -> None:
            if message["type"] == "http.response.start":
                secure(MutableHeaders(scope=message), scope["scheme"])
            await send(message)

        await self._app(scope, receive, securing)
