"""Looks at log and store every second: lag, how complete the rows are, and whether work goes on.

Next: query_service.completeness
"""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime

import structlog

from aggregators.assignment import check_fold, log_went_back, store_went_back
from aggregators.broker import Broker, LogState
from aggregators.flush import advance, progress_frame
from aggregators.fold import Progress
from aggregators.patience import Patience
from aggregators.pipeline import LogChanged, Member, Pipeline
from aggregators.retention import check_retention
from aggregators.session import Session
from aggregators.tails import lost, seen_now
from schemas.metrics import WorkerMetrics
from schemas.rejects import Unavailable
from sinks.inserts import Inserts
from sinks.loads import Loads

log = structlog.get_logger()

# The consumer itself notices a topic that came back sooner than that.
_LEFT_OUT_LOOKS = 10


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
        worker_id: str,
    ) -> None:
        self._member = member
        self._pipeline = pipeline
        self._broker = broker
        self._loads = loads
        self._inserts = inserts
        self._patience = patience
        self._metrics = metrics
        self._stall_seconds = stall_seconds
        self._worker_id = worker_id
        self._left_out = 0
        self._moved_at = time.monotonic()
        self._committed: dict[int, int] = {}
        self._noted = seen_now({}, {})
        self._told: Session | None = None

    async def run(self, every_seconds: float) -> None:
        """Look until cancelled."""
        engine = await self._patience.call(self._loads.events_engine)
        check_retention(engine, await self._patience.call(self._broker.kept_days))
        while True:
            await asyncio.sleep(every_seconds)
            if self._member.partitions():
                await self._look_or_leave(every_seconds)
            elif self._member.generation() <= 0:
                self._wait_to_join()
            else:
                await self._join_again_if_left_out()

    async def _look_or_leave(self, every_seconds: float) -> None:
        try:
            await self._look(await self._pipeline.begin(), every_seconds)
        except LogChanged:
            await self._pipeline.leave()
            raise

    def _wait_to_join(self) -> None:
        """A consumer whose coordination died before it joined the group says nothing ever again."""
        if time.monotonic() - self._moved_at > self._stall_seconds:
            raise Stalled(f"not a member of the group after {self._stall_seconds} s")

    async def _join_again_if_left_out(self) -> None:
        """A static member that starts again gets what it had, and no rebalance.

        If the topic was away when the group was last balanced, that is nothing of it, for good.
        """
        nobody_has = await self._patience.call(self._broker.unassigned)
        self._left_out = self._left_out + 1 if nobody_has else 0
        if self._left_out >= _LEFT_OUT_LOOKS:
            log.warning("joining_again", nobody_has=sorted(nobody_has))
            await self._patience.call(self._broker.leave, self._worker_id)
            self._left_out = 0

    async def _look(self, session: Session, every_seconds: float) -> None:
        asked_at = datetime.now(UTC)
        durable = dict(session.durable)
        seen = await self._patience.call(self._broker.look, list(durable))
        _note_ends(session, seen)
        self._measure(seen, durable, asked_at)
        storing = asyncio.ensure_future(self._compare(session, seen, durable, asked_at))
        # While the store is away, the log is looked at all the same: it may end unseen.
        while not (await asyncio.wait({storing}, timeout=every_seconds))[0]:
            await self._glance(session)
        await storing

    async def _glance(self, session: Session) -> None:
        asked_at = datetime.now(UTC)
        durable = dict(session.durable)
        with suppress(Unavailable, LogChanged):
            seen = await asyncio.to_thread(self._broker.look, list(durable))
            _note_ends(session, seen)
            self._measure(seen, durable, asked_at)

    async def _store_ends(self, session: Session) -> None:
        # Again when the log grew while the store was away.
        while not (frame := seen_now(session.ends, session.durable)).equals(self._noted):
            await self._patience.call(self._inserts.insert, "log_ends", frame)
            self._noted = frame

    async def _compare(
        self, session: Session, seen: LogState, durable: dict[int, Progress], asked_at: datetime
    ) -> None:
        await self._store_ends(session)
        await self._pipeline.check_log(session)
        for partition, done in durable.items():
            if seen.latest[partition] < done.offset + 1:
                raise log_went_back(partition, seen.latest[partition], done.offset + 1)
        await self._compare_store(session, durable)
        caught_up = {p: done for p, done in durable.items() if seen.latest[p] == done.offset + 1}
        frame = progress_frame(caught_up, caught_up_at=asked_at)
        await advance(self._patience, self._inserts, session, frame)
        if self._told is not session:
            await self._tell_lost()
            self._told = session

    async def _tell_lost(self) -> None:
        epochs = await self._patience.call(self._loads.epochs)
        tails = lost(epochs, await self._patience.call(self._loads.log_ends))
        self._metrics.lost_records.set(sum(sum(tail.values()) for tail in tails.values()))

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
        """Rule 8: the store must know at least what this worker stored; and nobody folds anew."""
        stored = await self._patience.call(self._loads.progress)
        check_fold(stored)
        for partition, done in durable.items():
            known = stored.get(partition)
            folded = session.epochs.next_offset(partition, known.position if known else None)
            if folded < done.offset + 1:
                raise store_went_back(partition, folded, done.offset + 1)


def _note_ends(session: Session, seen: LogState) -> None:
    """Remember how far the log reaches. Raises LogChanged when it is another topic's log."""
    if seen.topic_id != session.epochs.topic_id:
        raise LogChanged(f"topic {seen.topic_id}")
    session.ends.update(seen.latest)
