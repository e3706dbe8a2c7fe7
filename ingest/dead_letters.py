"""Rejected events of authenticated requests are kept on a topic of their own, as they were sent.

Best effort within a bound: a reject never delays or fails an event, and never fills the memory.

Next: aggregators.dead_letters
"""

import asyncio
import time
from collections.abc import Callable

import structlog

from ingest.accept import Reject, Verdicts
from ingest.sender import Sender
from ingest.session import Outgoing
from schemas.topics import DEAD_LETTER_MAX_BYTES, dead_letter_headers
from sinks.keys import Key

log = structlog.get_logger()

_MAX_WAITING_BYTES = 8 << 20
# What a letter costs besides its raw bytes: headers, future, a place in the queue.
_OVERHEAD_BYTES = 2048


class DeadLetters:
    """Sends rejects to the topic; every method is called on the event loop's thread."""

    def __init__(self, sender: Sender, *, timeout_seconds: float) -> None:
        self._sender = sender
        self._timeout_seconds = timeout_seconds
        self._waiting_bytes = 0

    def keep(self, verdicts: Verdicts, *, key: Key, arrival_id: str) -> None:
        """Send the rejects of a request with `key`; those beyond the bound are only logged.

        `arrival_id` is no other request's, or a letter would be stored over another.
        """
        deadline = time.monotonic() + self._timeout_seconds
        records = []
        for reject in verdicts.rejects:
            raw = reject.raw[:DEAD_LETTER_MAX_BYTES]
            cost_bytes = len(raw) + _OVERHEAD_BYTES
            if self._waiting_bytes + cost_bytes > _MAX_WAITING_BYTES:
                break
            self._waiting_bytes += cost_bytes
            headers = _headers(reject, verdicts.received_at, key, arrival_id)
            records.append(Outgoing(0, [raw], headers, deadline, self._told(cost_bytes)))
        if len(records) < len(verdicts.rejects):
            log.warning("dead_letters_not_kept", count=len(verdicts.rejects) - len(records))
        if records:
            self._sender.submit(records)

    def _told(self, cost_bytes: int) -> Callable[[Exception | None], object]:
        loop = asyncio.get_running_loop()
        return lambda error: loop.call_soon_threadsafe(self._done, cost_bytes, error)

    def _done(self, cost_bytes: int, error: Exception | None) -> None:
        self._waiting_bytes -= cost_bytes
        if error is not None:
            log.warning("dead_letters_not_kept", count=1, error=str(error))


def _headers(
    reject: Reject, received_at: str, key: Key, arrival_id: str
) -> list[tuple[str, bytes]]:
    return dead_letter_headers(
        reason=reject.reason,
        detail=reject.detail,
        origin=f"request/{arrival_id}/{reject.index}",
        tenant=key.tenant,
        received_at=received_at,
        key_id=key.key_id,
    )
