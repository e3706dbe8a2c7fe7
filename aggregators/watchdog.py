"""Looks at log and store every second: lag, how complete the rows are, and whether work goes on.

Next: query_service.completeness
"""

import asyncio
import time
from datetime import UTC, datetime

import structlog

from aggregators.assignment import log_went_back, store_went_back
from aggregators.broker import Broker, LogState
from aggregators.flush import progress_frame
from aggregators.fold import Progress
from aggregators.patience import Patience
from aggregators.pipeline import LogChanged, Member, Pipeline
from aggregators.session import Session
from schemas.telemetry import WorkerMetrics
from sinks.inserts import Inserts
from sinks.loads import Loads

log = structlog.get_logger()


class Stalled(Exception):  # noqa: N818 - named for what is seen
    """There is lag, nothing is known to be away, and nothing moves: a new start is the cure."""


class Watchdog:
    """One look after the other; what it raises ends the process."""

    def __init__(
        self,
        *,
        member: Member,
        pipeline: Pipeline,
        broker: Broker,
        loads: Loads,
        inserts: Inserts,
        patience: Patience,
        metrics: WorkerMetrics,
        stall_seconds: float,
    ) -> None:
        self._member = member
        self._pipeline = pipeline
        self._broker = broker
        self._loads = loads
        self._inserts = inserts
        self._patience = patience
        self._metrics = metrics
        self._stall_seconds = stall_seconds
        self._moved_at = time.monotonic()
        self._committed: dict[int, int] = {}

    async def run(self, every_seconds: float) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(every_seconds)
            if self._member.partitions():
                await self._look(await self._pipeline.begin())
            elif self._member.generation() <= 0:
                self._wait_to_join()

    def _wait_to_join(self) -> None:
        """A consumer whose coordination died before it joined the group says nothing ever again."""
        if time.monotonic() - self._moved_at > self._stall_seconds:
            raise Stalled(f"not a member of the group after {self._stall_seconds} s")

    async def _look(self, session: Session) -> None:
        asked_at = datetime.now(UTC)
        durable = dict(session.durable)
        seen = await self._patience.call(self._broker.look, list(durable))
        if seen.topic_id != session.epochs.topic_id:
            raise LogChanged(f"topic {seen.topic_id}")
        self._measure(seen, durable, asked_at)
        await self._pipeline.check_log(session)
        for partition, done in durable.items():
            if seen.latest[partition] < done.offset + 1:
                raise log_went_back(partition, seen.latest[partition], done.offset + 1)
        await self._compare_store(session, durable)
        caught_up = {p: done for p, done in durable.items() if seen.latest[p] == done.offset + 1}
        frame = progress_frame(caught_up, caught_up_at=asked_at)
        await self._patience.call(self._inserts.insert, "progress", frame)

    def _measure(self, seen: LogState, durable: dict[int, Progress], asked_at: datetime) -> None:
        lag = 0
        for partition, done in durable.items():
            behind = seen.latest[partition] - (done.offset + 1)
            lag += behind
            self._metrics.lag_records.labels(str(partition)).set(
                seen.latest[partition] - seen.committed.get(partition, seen.earliest[partition])
            )
            complete = done.appended_at if behind else asked_at
            self._metrics.complete_up_to.labels(str(partition)).set(complete.timestamp())
        now = time.monotonic()
        if not lag or self._patience.waiting or seen.committed != self._committed:
            self._moved_at, self._committed = now, seen.committed
        elif now - max(self._moved_at, self._patience.waited_until) > self._stall_seconds:
            raise Stalled(f"{lag} records of lag, and no commit for {self._stall_seconds} s")

    async def _compare_store(self, session: Session, durable: dict[int, Progress]) -> None:
        """Rule 8: the store must know at least what this worker stored."""
        stored = await self._patience.call(self._loads.progress)
        for partition, done in durable.items():
            known = stored.get(partition)
            folded = session.epochs.next_offset(partition, known.position if known else None)
            if folded < done.offset + 1:
                raise store_went_back(partition, folded, done.offset + 1)
