"""Loads entries into the directory: batch after batch, each sent again until it is answered.

In order, one request at a time: a later line is laid over an earlier one of the same entry.

Next: query_service.routes.directory
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Self

import httpx

from deploy.ask import Refused, is_here
from deploy.batches import Batch
from deploy.connection import Connection
from deploy.send import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, REQUEST_SECONDS, GaveUp
from schemas.rejects import Reason

BATCH_ENTRIES = 1000
# Not now: the same batch again. Others than 503 come from something in between.
_AGAIN = frozenset({429, 502, 503, 504})
_TOO_LARGE = 413


class Verdict(NamedTuple):
    """A rejected line, counted from 1."""

    line: int
    field: str | None
    reason: str
    detail: str


class Loader:
    """Sends batches of entries to the query service; use it as a context.

    A batch that is not answered within `patience_seconds` raises GaveUp; `retried` is told why
    one is sent again.
    """

    def __init__(
        self, place: Connection, *, patience_seconds: float, retried: Callable[[str], None]
    ) -> None:
        self._url = f"{place.query_url.rstrip('/')}/v1/directory"
        self._client = httpx.Client(
            headers={
                "Authorization": f"Bearer {place.key}",
                "Content-Type": "application/x-ndjson",
            },
            timeout=REQUEST_SECONDS,
            trust_env=not is_here(place.query_url),
        )
        self._patience_seconds = patience_seconds
        self._retried = retried

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def load(self, entity: str, batches: Iterable[Batch]) -> Iterator[tuple[int, list[Verdict]]]:
        """Of each batch how many lines it had, and those that were rejected.

        Raises Refused when the service takes nothing of the kind, and GaveUp.
        """
        for batch in batches:
            yield len(batch), self._deliver(entity, batch)

    def _deliver(self, entity: str, batch: Batch) -> list[Verdict]:
        answer = self._answer(entity, b"\n".join(line.text for line in batch))
        if answer.status_code == _TOO_LARGE and len(batch) > 1:
            middle = len(batch) // 2
            return self._deliver(entity, batch[:middle]) + self._deliver(entity, batch[middle:])
        return _verdicts(answer, batch)

    def _answer(self, entity: str, body: bytes) -> httpx.Response:
        began, pause = time.monotonic(), FIRST_PAUSE_SECONDS
        while True:
            answer = self._put(entity, body)
            if isinstance(answer, httpx.Response) and answer.status_code not in _AGAIN:
                return answer
            if time.monotonic() - began > self._patience_seconds:
                raise GaveUp(f"no success for {self._patience_seconds:.0f} s; last: {answer}")
            self._retried(str(answer))
            # Jitter, so that many loads do not come back at once.
            time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _put(self, entity: str, body: bytes) -> httpx.Response | str:
        """The answer, or what went wrong on the way."""
        try:
            return self._client.put(f"{self._url}/{entity}", content=body)
        except httpx.TransportError as error:
            return f"{type(error).__name__} {error}".strip()


def _verdicts(answer: httpx.Response, batch: Batch) -> list[Verdict]:
    body = _json(answer)
    if answer.status_code == _TOO_LARGE:
        reason = str(body.get("reason") or Reason.BODY_TOO_LARGE)
        return [Verdict(batch[0].number, None, reason, str(body.get("detail")))]
    if "rejected" not in body:
        raise Refused(f"HTTP {answer.status_code}: {body.get('detail') or answer.text[:200]}")
    return [
        Verdict(batch[each["index"]].number, each["field"], each["reason"], each["detail"])
        for each in body["rejected"]
    ]


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
