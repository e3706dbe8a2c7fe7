"""Does ClickHouse answer at all? When it hangs, a question fails in a second, not in half a minute.

A store that is busy answers a ping at once; one that hangs answers nothing, and resets nothing.

Next: query_service.app
"""

import asyncio
import threading
import time
from collections.abc import Callable

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from query_service.problems import Problem
from schemas.metrics import QueryMetrics
from schemas.rejects import Unavailable

_BEAT_SECONDS = 0.25
_LOOK_SECONDS = 0.1
# What can be answered without ClickHouse.
_ASK_NOTHING = ("/health/live", "/metrics", "/openapi.json", "/docs")


class Pulse:
    """Pings ClickHouse four times a second; `make` gives a client, or raises Unavailable."""

    def __init__(self, make: Callable[[], Client], *, silence_seconds: float) -> None:
        self._make = make
        self._silence_seconds = silence_seconds
        self._answered_at = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def start(self) -> None:
        """Begin; until the first second is over nothing is silent."""
        self._answered_at = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """End; a ping that hangs is left behind."""
        self._stopped.set()

    def silent(self) -> bool:
        """Whether ClickHouse has answered nothing for too long."""
        return time.monotonic() - self._answered_at > self._silence_seconds

    def _beat(self) -> None:
        client: Client | None = None
        while not self._stopped.is_set():
            try:
                client = client or self._make()
                if client.ping():
                    self._answered_at = time.monotonic()
            except (Unavailable, ClickHouseError):  # it may refuse for a moment only, too
                client = None
            self._stopped.wait(_BEAT_SECONDS)
        if client is not None:
            client.close()


class Pulsed:
    """ASGI middleware: 503 for a question that has no answer yet when ClickHouse falls silent.

    What was begun goes on by itself, and nobody hears of it: questions change nothing, and a change
    of seats may be sent again under its request id. `refuse` words the 503 for the request.
    """

    def __init__(
        self,
        app: ASGIApp,
        pulse: Pulse,
        metrics: QueryMetrics,
        refuse: Callable[[Request, Problem], Response],
    ) -> None:
        self._app = app
        self._pulse = pulse
        self._metrics = metrics
        self._refusal = refuse
        self._left: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and wait for its answer as long as there is a pulse."""
        if scope["type"] != "http" or scope["path"].endswith(_ASK_NOTHING):
            await self._app(scope, receive, send)
            return
        begun = given_up = False

        async def sending(message: Message) -> None:
            nonlocal begun
            if not given_up:
                begun = True
                await send(message)

        answering = asyncio.ensure_future(self._app(scope, receive, sending))
        try:
            while not (begun or answering.done()):
                await asyncio.wait({answering}, timeout=_LOOK_SECONDS)
                if self._pulse.silent() and not (begun or answering.done()):
                    given_up = True
                    self._leave(answering)
                    await self._refuse(scope, receive, send)
                    return
            await answering
        except asyncio.CancelledError:
            answering.cancel()
            raise

    def _leave(self, answering: asyncio.Task[None]) -> None:
        self._left.add(answering)
        answering.add_done_callback(self._forget)

    def _forget(self, answering: asyncio.Task[None]) -> None:
        self._left.discard(answering)
        if not answering.cancelled():
            answering.exception()  # it has been answered already, whatever it says

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = Problem(503, "unavailable", "clickhouse does not answer; try again.")
        self._metrics.query_errors.labels(reason=problem.reason).inc()
        await self._refusal(Request(scope), problem)(scope, receive, send)
