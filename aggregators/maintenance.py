"""How a worker makes way for maintenance: it waits before it joins, and leaves once it is seen.

Then this process takes nothing more: it drains, and begins anew without state.

Next: aggregators.pipeline
"""

import asyncio

import structlog

from schemas.rejects import Unavailable
from sinks.leases import Leases

log = structlog.get_logger()

_POLL_SECONDS = 0.5


class Maintenance:
    """The lease as a worker sees it; `seen` is set when a running worker has to make way."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        # Questions of several tasks take turns: they share a client.
        self._turn = asyncio.Lock()
        self.seen = asyncio.Event()

    async def over(self) -> None:
        """Come back when the store says that nobody holds the lease; while it is away, wait."""
        told: str | None = None
        while (holder := await self._holder()) is not None:
            if holder != told:
                log.info("held", holder=holder)
                told = holder
            await asyncio.sleep(_POLL_SECONDS)
        if told:
            log.info("released", holder=told)

    async def watch(self, every_seconds: float) -> None:
        """Look until the lease is held."""
        while not self.seen.is_set():
            self._note(await self._holder())
            await asyncio.sleep(every_seconds)

    async def pass_by(self) -> None:
        """Come back at once when nobody holds the lease; else never, for this process has to end.

        To be asked by a member of the group, before it takes anything in its generation: a
        command that found the group empty took the lease before.
        """
        self._note(await self._holder())
        if self.seen.is_set():
            await asyncio.Event().wait()

    def _note(self, holder: str | None) -> None:
        if holder is not None and not self.seen.is_set():
            log.info("making_way", holder=holder)
            self.seen.set()

    async def _holder(self) -> str | None:
        """The holder, as soon as the store can say."""
        waiting = False
        while True:
            try:
                async with self._turn:
                    return await asyncio.to_thread(self._leases.holder)
            except Unavailable as error:
                if not waiting:
                    log.warning("waiting", what=error.what, error=str(error))
                waiting = True
            await asyncio.sleep(_POLL_SECONDS)
