"""Accepted lines become records: grouped by partition, shared by requests that come together.

While records wait for the broker, the next ones gather what comes meanwhile, and for a moment
longer behind many lines: a quiet gateway sends at once, and a busy one sends few records, which
cost by number. A request is answered when every record that holds a line of it is acknowledged.

Next: ingest.sender
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from ingest.budget import Budget
from ingest.sender import Sender
from ingest.session import Outgoing
from schemas.metrics import IngestMetrics
from schemas.rejects import Unavailable
from schemas.topics import RECORD_MAX_BYTES, RECORD_MAX_EVENTS, events_headers

# Behind more lines than these, the next ones leave so much later. At 15,000 events a second a
# record then holds forty instead of fourteen, and gateway, broker and worker each need a quarter
# less. Fewer lines come from senders that wait for their answers, and waiting gathers no more.
_MANY_LINES = 100
_GATHER_SECONDS = 0.03

# A header is read with its record: of many small requests in one record it tells the first.
_REQUESTS_NAMED = 16


class _Request:
    """A request that waits for its records."""

    __slots__ = ("acknowledged", "pending")

    def __init__(self) -> None:
        self.pending = 0
        self.acknowledged = asyncio.get_running_loop().create_future()

    def record_done(self, error: Exception | None) -> None:
        """One record less to wait for; the first failure is the request's."""
        self.pending -= 1
        if self.acknowledged.done():
            return
        if error is not None:
            self.acknowledged.set_exception(error)
        elif self.pending == 0:
            self.acknowledged.set_result(None)


@dataclass(slots=True)
class _Record:
    """A record that is being filled."""

    request_ids: list[str] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    size_bytes: int = 0
    requests: list[_Request] = field(default_factory=list)

    def has_room_for(self, size_bytes: int) -> bool:
        return (
            len(self.lines) < RECORD_MAX_EVENTS and self.size_bytes + size_bytes <= RECORD_MAX_BYTES
        )


class Publisher:
    """Gathers lines into records; every method is called on the event loop's thread."""

    def __init__(
        self,
        sender: Sender,
        budget: Budget,
        metrics: IngestMetrics,
        *,
        partitions: int,
        linger_seconds: float,
        ack_timeout_seconds: float,
    ) -> None:
        self._sender = sender
        self._budget = budget
        self._metrics = metrics
        self._partitions = partitions
        self._linger_seconds = linger_seconds
        self._ack_timeout_seconds = ack_timeout_seconds
        self._open: dict[int, _Record] = {}
        self._in_flight = 0
        self._next_at = 0.0
        self._drained = asyncio.Event()
        self._sending: asyncio.Handle | None = None
        self._linger: asyncio.TimerHandle | None = None

    async def publish(self, lines: Mapping[int, list[bytes]], request_id: str) -> None:
        """Return when the broker has acknowledged every line; `lines` by partition.

        Raises Unavailable when the buffer is full, a record failed, or time is up.
        """
        if not lines:
            return
        self._budget.take(sum(len(line) + 1 for group in lines.values() for line in group))
        request = _Request()
        for partition, group in lines.items():
            self._add(partition, group, request, request_id)
        try:
            async with asyncio.timeout(self._ack_timeout_seconds):
                await request.acknowledged
        except TimeoutError:
            raise Unavailable("kafka", "no acknowledgement in time") from None

    async def drain(self, *, timeout_seconds: float) -> None:
        """Send what is open, and wait for what is in flight, at most so long."""
        self._send_all()
        if self._in_flight:
            self._drained.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._drained.wait(), timeout_seconds)

    def _add(self, partition: int, group: list[bytes], request: _Request, request_id: str) -> None:
        record = self._open.get(partition)
        for line in group:
            size_bytes = len(line) + 1
            if record is None or not record.has_room_for(size_bytes):
                if record is not None:
                    self._sender.submit([self._sealed(partition, record)])
                record = self._open[partition] = _Record()
            if not record.requests or record.requests[-1] is not request:
                record.requests.append(request)
                record.request_ids.append(request_id)
                request.pending += 1
            record.lines.append(line)
            record.size_bytes += size_bytes
        self._send_soon()

    def _send_soon(self) -> None:
        """After what else is ready to run now: other requests may have come at the same moment."""
        if self._sending is None:
            self._sending = asyncio.get_running_loop().call_soon(self._send_free)

    def _send_free(self) -> None:
        self._sending = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        due = now + self._linger_seconds if self._in_flight else self._next_at
        if due <= now:
            self._send_all()
        elif self._linger is None or due < self._linger.when():
            if self._linger is not None:
                self._linger.cancel()
            self._linger = loop.call_at(due, self._send_all)

    def _send_all(self) -> None:
        """Whatever is on its way: the broker may be gone, and a new session get through."""
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
        records = [self._sealed(partition, record) for partition, record in self._open.items()]
        self._open.clear()
        if records:
            self._sender.submit(records)
        if sum(len(record.lines) for record in records) > _MANY_LINES:
            gather_seconds = min(_GATHER_SECONDS, self._linger_seconds)
            self._next_at = asyncio.get_running_loop().time() + gather_seconds

    def _sealed(self, partition: int, record: _Record) -> Outgoing:
        self._in_flight += 1
        loop = asyncio.get_running_loop()
        sealed_at = time.monotonic()
        named = " ".join(record.request_ids[:_REQUESTS_NAMED])
        headers = events_headers(
            count=len(record.lines), partitions=self._partitions, request_id=named
        )
        return Outgoing(
            partition,
            record.lines,
            headers,
            sealed_at + self._ack_timeout_seconds,
            lambda error: loop.call_soon_threadsafe(self._done, record, sealed_at, error),
        )

    def _done(self, record: _Record, sealed_at: float, error: Exception | None) -> None:
        self._in_flight -= 1
        if not self._in_flight:
            self._drained.set()
            self._send_soon()
        self._budget.give(record.size_bytes)
        if error is None:
            self._metrics.ack_seconds.observe(time.monotonic() - sealed_at)
        for request in record.requests:
            request.record_done(error)
