"""Store what a batch changed, step by step, each acknowledged: then, and only then, commit.

Rule 5: dead letters and events, then rows and ledger, then progress, then the offsets.

Next: sinks.inserts
"""

import time
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import polars as pl
import structlog

from aggregators.assignment import NEVER, store_went_back
from aggregators.decode import DeadLine
from aggregators.fold import Changes, Progress
from aggregators.patience import Patience
from aggregators.session import Session
from schemas import topics
from schemas.failpoints import reach
from schemas.metrics import WorkerMetrics
from schemas.rollups import FOLD_VERSION
from sinks.inserts import Inserts

log = structlog.get_logger()

_PROGRESS_SCHEMA = pl.Schema(
    {
        "partition": pl.UInt16(),
        "position": pl.UInt64(),
        "appended_at": pl.Datetime("ms", "UTC"),
        "caught_up_at": pl.Datetime("ms", "UTC"),
        "fold_version": pl.UInt16(),
    }
)


class Commits(Protocol):
    """Moves the group's offsets."""

    def commit(
        self, offsets: Mapping[int, int], *, generation: int, topic_id: str
    ) -> Awaitable[bool]:
        """Commit the next offset of each partition; False when `generation` is over."""
        ...


class DeadLetters(Protocol):
    """Keeps input that can't be decoded."""

    def send(self, dead: Sequence[DeadLine]) -> Awaitable[None]:
        """Come back when the broker has acknowledged each."""
        ...


class Flush:
    """Writes a batch's frozen changes."""

    def __init__(
        self,
        *,
        inserts: Inserts,
        commits: Commits,
        dead_letters: DeadLetters,
        patience: Patience,
        metrics: WorkerMetrics,
    ) -> None:
        self._inserts = inserts
        self._commits = commits
        self._dead_letters = dead_letters
        self._patience = patience
        self._metrics = metrics

    async def run(self, changes: Changes, session: Session) -> None:
        """Store the changes, commit the offsets and let the state know what is clean.

        Waits as long as a dependency is away; a commit refused because the generation is over is
        no failure, since the rows are right whoever writes them.
        """
        started = time.monotonic()
        await self._dead_letters.send(changes.dead)
        for table, frame in steps(changes):
            await self._patience.call(self._inserts.insert, table, frame)
            reach(f"stored_{table}")
        frame = progress_frame(changes.progress, caught_up_at=NEVER)
        await advance(self._patience, self._inserts, session, frame)
        reach("stored_progress")
        session.state.acknowledge(
            changes.batch, {p: done.position for p, done in changes.progress.items()}
        )
        session.durable.update(changes.progress)
        committed = await self._commits.commit(
            {partition: done.offset + 1 for partition, done in changes.progress.items()},
            generation=session.generation,
            topic_id=session.epochs.topic_id,
        )
        reach("committed")
        self._observe(changes, session, time.monotonic() - started)
        log.info(
            "flushed",
            records=changes.records,
            rows=changes.rows.height,
            committed=committed,
            **changes.verdicts,
        )

    def _observe(self, changes: Changes, session: Session, seconds: float) -> None:
        metrics, state = self._metrics, session.state
        metrics.flush_seconds.observe(seconds)
        metrics.flush_rows.observe(changes.rows.height)
        metrics.fold_records.inc(changes.records)
        for verdict, count in changes.verdicts.items():
            metrics.fold_events.labels(verdict).inc(count)
        metrics.dead_letters.labels("undecodable").inc(len(changes.dead))
        metrics.user_days_held.set(len(state.user_days))
        metrics.rows_held.set(state.rows_held)
        metrics.ids_held.set(state.identities_held)
        received = changes.events["received_at"].min()
        if isinstance(received, datetime):
            metrics.end_to_end_seconds.observe(max(0.0, time.time() - received.timestamp()))


def steps(changes: Changes) -> list[tuple[str, pl.DataFrame]]:
    """What to insert where, in the order it must be stored; then progress moves."""
    return [
        ("usage_events", changes.events),
        ("usage_daily", changes.rows),
        ("usage_ledger", changes.ledger),
    ]


async def advance(
    patience: Patience, inserts: Inserts, session: Session, frame: pl.DataFrame
) -> None:
    """Move the progress that `frame` tells, rows of the table.

    Raises PersonNeeded when the store knows less than this session stored: what it lost would
    never be folded again if its progress went past it. What else a batch has stored by then does
    no harm: rows are whole, and records below them are folded again as their events.
    """
    behind = await patience.call(inserts.advance, frame, dict(session.known))
    for partition, position in behind.items():
        known = session.known[partition]
        folded = topics.offset_of(position) + 1 if position else 0
        raise store_went_back(partition, folded, topics.offset_of(known) + 1)
    for partition, position in frame.select("partition", "position").iter_rows():
        session.known[partition] = max(position, session.known.get(partition, 0))


def progress_frame(progress: Mapping[int, Progress], *, caught_up_at: datetime) -> pl.DataFrame:
    """Rows of table `progress`."""
    rows = [
        (partition, done.position, done.appended_at, caught_up_at, FOLD_VERSION)
        for partition, done in progress.items()
    ]
    return pl.DataFrame(rows, schema=_PROGRESS_SCHEMA, orient="row")
