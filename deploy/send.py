"""Sends events to a gateway until each is answered: retries with the same ids, backs off when told.

Whatever is sent twice on the way is counted once, so a batch without an answer is sent again.

Next: ingest.app
"""

import asyncio
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx

from deploy.ask import is_here
from deploy.batches import Batch
from schemas.rejects import Reason

DEFAULT_BATCH = 100
DEFAULT_CONCURRENCY = 4
DEFAULT_PATIENCE_SECONDS = 300.0
REQUEST_SECONDS = 30.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0

# Not now, and nothing said about any event: the same batch again. 5xx other than 503 come from
# something between us and the gateway, or from a gateway that is going down.
_AGAIN = frozenset({429, 500, 502, 503, 504})
_TOO_LARGE = 413


class GaveUp(Exception):  # noqa: N818 - named for what happened, as the style asks
    """No gateway answered for as long as we were to wait."""


class Refused(Exception):  # noqa: N818 - named for what happened, as the style asks
    """The gateway refuses the request as a whole; `status` is its HTTP code."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"the gateway refuses (HTTP {status}): {detail}")
        self.status = status


@dataclass(frozen=True)
class Reject:
    """A rejected event: its line in the file, counted from 1, and the gateway's verdict."""

    line: int
    id: str | None
    reason: str
    field: str | None
    detail: str | None


@dataclass
class Tally:
    """What came of it; `retried` counts requests that were sent again."""

    sent: int = 0
    accepted: int = 0
    rejected: int = 0
    retried: int = 0
    seconds: float = 0.0

    @property
    def events_per_second(self) -> float:
        """Answered events a second."""
        return self.sent / self.seconds if self.seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        """The tally for machines."""
        names = ("sent", "accepted", "rejected", "retried", "seconds")
        return {
            **{name: getattr(self, name) for name in names},
            "events_per_second": round(self.events_per_second, 1),
        }


class Watch:
    """Is told what happens, in the calling thread; this one does nothing with it."""

    def started(self, batch: Batch) -> None:
        """A batch is about to be sent for the first time; batches are started in order."""

    def answered(self, batch: Batch, rejects: list[Reject]) -> None:
        """A batch is answered, in any order."""

    def retried(self, trouble: str) -> None:
        """A batch will be sent again because of `trouble`."""


class Sender:
    """Sends batches to the gateway at `url`, `concurrency` at once, at most `rate` events a second.

    A batch that is not answered within `patience_seconds` raises GaveUp.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        concurrency: int = DEFAULT_CONCURRENCY,
        rate: float | None = None,
        patience_seconds: float = DEFAULT_PATIENCE_SECONDS,
        watch: Watch | None = None,
    ) -> None:
        self.tally = Tally()
        self._url = f"{url.rstrip('/')}/v1/events"
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/x-ndjson",
        }
        self._concurrency = concurrency
        self._rate = rate
        self._patience_seconds = patience_seconds
        self._watch = watch or Watch()

    def run(self, batches: Iterable[Batch]) -> Tally:
        """Send every batch. Raises Refused or GaveUp; the tally holds what was done by then."""
        began = time.monotonic()
        try:
            asyncio.run(self._run(batches))
        except BaseExceptionGroup as group:
            raise _first(group) from None
        finally:
            self.tally.seconds = time.monotonic() - began
        return self.tally

    async def _run(self, batches: Iterable[Batch]) -> None:
        waiting: asyncio.Queue[Batch | None] = asyncio.Queue(self._concurrency)
        limits = httpx.Limits(max_connections=self._concurrency)
        async with (
            httpx.AsyncClient(
                limits=limits, timeout=REQUEST_SECONDS, trust_env=not is_here(self._url)
            ) as client,
            asyncio.TaskGroup() as tasks,
        ):
            for _ in range(self._concurrency):
                tasks.create_task(self._work(client, waiting))
            await self._feed(batches, waiting)

    async def _feed(self, batches: Iterable[Batch], waiting: "asyncio.Queue[Batch | None]") -> None:
        due = time.monotonic()
        for batch in batches:
            if self._rate:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                due += len(batch) / self._rate
            self._watch.started(batch)
            await waiting.put(batch)
        for _ in range(self._concurrency):
            await waiting.put(None)

    async def _work(
        self, client: httpx.AsyncClient, waiting: "asyncio.Queue[Batch | None]"
    ) -> None:
        while (batch := await waiting.get()) is not None:
            accepted, rejects = await self._deliver(client, batch)
            self.tally.sent += len(batch)
            self.tally.accepted += accepted
            self.tally.rejected += len(rejects)
            self._watch.answered(batch, rejects)

    async def _deliver(self, client: httpx.AsyncClient, batch: Batch) -> tuple[int, list[Reject]]:
        """Send one batch until it is answered: (accepted, rejects)."""
        body = b"\n".join(line.text for line in batch)
        began, pause = time.monotonic(), FIRST_PAUSE_SECONDS
        while True:
            answer = await self._post(client, body)
            if isinstance(answer, httpx.Response) and answer.status_code not in _AGAIN:
                break
            if time.monotonic() - began > self._patience_seconds:
                raise GaveUp(f"no success for {self._patience_seconds:.0f} s; last: {answer}")
            self.tally.retried += 1
            self._watch.retried(str(answer))
            # Jitter, so that many senders do not come back at once.
            await asyncio.sleep(_retry_after(answer) or pause * random.uniform(0.5, 1))  # noqa: S311
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        if answer.status_code == _TOO_LARGE and len(batch) > 1:
            return await self._deliver_halves(client, batch)
        return _verdicts(answer, batch)

    async def _post(self, client: httpx.AsyncClient, body: bytes) -> httpx.Response | str:
        """The answer, or what went wrong on the way."""
        try:
            return await client.post(self._url, content=body, headers=self._headers)
        except httpx.TransportError as error:
            return f"{type(error).__name__} {error}".strip()

    async def _deliver_halves(
        self, client: httpx.AsyncClient, batch: Batch
    ) -> tuple[int, list[Reject]]:
        middle = len(batch) // 2
        accepted, rejects = await self._deliver(client, batch[:middle])
        more_accepted, more_rejects = await self._deliver(client, batch[middle:])
        return accepted + more_accepted, rejects + more_rejects


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


def _verdicts(answer: httpx.Response, batch: Batch) -> tuple[int, list[Reject]]:
    body = _json(answer)
    if answer.status_code == _TOO_LARGE:
        reason = str(body.get("reason") or Reason.BODY_TOO_LARGE)
        return 0, [Reject(batch[0].number, None, reason, None, body.get("detail"))]
    if "rejected" not in body:
        raise Refused(answer.status_code, str(body.get("detail") or answer.text[:200]))
    rejects = [
        Reject(
            line=batch[reject["index"]].number,
            id=reject.get("id"),
            reason=reject["reason"],
            field=reject.get("field"),
            detail=reject.get("detail"),
        )
        for reject in body["rejected"]
    ]
    return int(body["accepted"]), rejects


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _retry_after(answer: httpx.Response | str) -> float | None:
    """Seconds the gateway asks us to wait; None when it gives none (or a date)."""
    told = "" if isinstance(answer, str) else answer.headers.get("Retry-After", "")
    return float(told) if told.isdigit() else None
