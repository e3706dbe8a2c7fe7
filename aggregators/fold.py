"""The fold: a batch of decoded lines into user-days, and the frozen changes to be stored.

Pure: no clock, no chance, no other table. tests/support/plain_fold.py is its specification.

Next: aggregators.ledger
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat

import polars as pl

from aggregators.decode import DeadLine, Lines
from aggregators.ledger import fold_ledger
from aggregators.state import SEQ_BITS, Row, State, UserDay
from schemas import events
from schemas.rollups import FOLD_VERSION, USER_DAY_KEY

EVENT_COLUMNS = (*events.COLUMNS, "day", "partition", "position", "seq")

_ROW_KEY = ("product_id", "product_version", "team_id", "access")
_TOTALS = {
    "position": pl.UInt64,
    "launches": pl.UInt64,
    "tokens": pl.Int128,
    "first_at": pl.Int64,
    "last_at": pl.Int64,
}
_MILLISECONDS = pl.Datetime("ms", "UTC")
_UNITS_PER_TOKEN = 10**events.TOKENS_SCALE


@dataclass(frozen=True)
class Progress:
    """How far a partition is folded: its last folded record, and when that was appended."""

    position: int
    offset: int
    appended_at: datetime


@dataclass(frozen=True)
class Changes:
    """What one batch changed, frozen at its end: nothing folded later shows in it.

    `events` are the first events (columns of `usage_events`), `rows` and `ledger` the changed
    rows, whole; `progress` is by partition; `verdicts` counts lines for the metrics.
    """

    batch: int
    events: pl.DataFrame
    rows: pl.DataFrame
    ledger: pl.DataFrame
    progress: dict[int, Progress]
    dead: list[DeadLine]
    verdicts: dict[str, int]
    records: int


def fold(lines: Lines, state: State) -> Changes:
    """Fold a batch into `state`; every user-day and ledger row it touches must be loaded."""
    state.batch += 1
    held = [state.user_day(key) for key in lines.user_days]
    verdicts = pl.Series(first_seen(lines, held, state), dtype=pl.Boolean)
    judged = lines.events.with_columns(first=verdicts)
    first = judged.filter("first")
    return Changes(
        batch=state.batch,
        events=first.select(EVENT_COLUMNS),
        rows=_fold_rows(first, held, state),
        ledger=fold_ledger(lines, judged, state),
        progress=_progress(lines),
        dead=lines.dead,
        verdicts={
            "stored": first.height,
            "duplicate": judged.height - first.height,
            "dead": len(lines.dead),
        },
        records=len(lines.records),
    )


def first_seen(lines: Lines, held: Sequence[UserDay], state: State) -> list[bool]:
    """Rule 1: which events have the smallest stamp known of their identity.

    `held` are the user-days of `lines`. The verdict is remembered for every delivered event,
    whatever the row's guard will say. What an erased user left on the log is never first, and is
    not remembered: nobody could know it after a restart.
    """
    known = [user_day.identities for user_day in held]
    before = [len(identities) for identities in known]
    columns = (lines.events[name].to_list() for name in ("user_day", "identity"))
    verdicts = [
        not gone and _is_first(known[user_day], identity, stamp)
        for user_day, identity, stamp, gone in zip(
            *columns, _stamps(lines.events), _erased(lines, held), strict=True
        )
    ]
    for (key, partition), identities, count in zip(
        lines.user_days.items(), known, before, strict=True
    ):
        state.identities_added(key, partition, len(identities) - count)
    return verdicts


def _erased(lines: Lines, held: Sequence[UserDay]) -> Iterable[bool]:
    """Of each event, whether it was erased with its user."""
    guards = [user_day.guard for user_day in held]
    if not any(guards):
        return repeat(False, lines.events.height)
    columns = (lines.events[name].to_list() for name in ("user_day", "partition", "position"))
    return [
        guard is not None and position <= guard.get(partition, -1)
        for guard, partition, position in (
            (guards[user_day], partition, position)
            for user_day, partition, position in zip(*columns, strict=True)
        )
    ]


def _is_first(known: dict[str, int], identity: str, stamp: int) -> bool:
    smallest = known.get(identity)
    if smallest is not None and smallest < stamp:
        return False
    known[identity] = stamp
    return True


def _stamps(judged: pl.DataFrame) -> list[int]:
    stamp = pl.col("position").cast(pl.Int128) * (1 << SEQ_BITS) + pl.col("seq")
    return judged.select(stamp).to_series().to_list()


def _fold_rows(first: pl.DataFrame, held: Sequence[UserDay], state: State) -> pl.DataFrame:
    """Add the first events to their rows, record by record, and return the changed rows whole."""
    sums = _by_row_and_record(first)
    columns = (sums[name].to_list() for name in ("user_day", *_ROW_KEY, *_TOTALS))
    rows = []
    for user_day, product_id, product_version, team_id, access, *added in zip(
        *columns, strict=True
    ):
        row = state.row(held[user_day], (product_id, product_version, team_id, access))
        row.add(*added)
        rows.append(row)
    return _frozen(sums, rows)


def _by_row_and_record(first: pl.DataFrame) -> pl.DataFrame:
    """Launches, tokens in units, first and last time of each row and record, in log order."""
    return first.group_by("user_day", *_ROW_KEY, "partition", "position", maintain_order=True).agg(
        pl.col("tenant", "user_id", "day").first(),
        launches=(pl.col("type") == events.LAUNCHED).sum(),
        tokens=pl.col("tokens").to_physical().cast(pl.Int64).sum(),
        first_at=pl.col("time").dt.epoch("ms").min(),
        last_at=pl.col("time").dt.epoch("ms").max(),
    )


def _frozen(sums: pl.DataFrame, rows: Sequence[Row]) -> pl.DataFrame:
    """Each of the rows once, as columns of `usage_daily`; they stand in the order of `sums`."""
    last = sums.with_row_index("place").unique(
        ["user_day", *_ROW_KEY], keep="last", maintain_order=True
    )
    changed = [rows[place] for place in last["place"]]
    frame = last.select(*USER_DAY_KEY, *_ROW_KEY, "partition").with_columns(
        pl.Series(name, [getattr(row, name) for row in changed], dtype=dtype)
        for name, dtype in _TOTALS.items()
    )
    return frame.with_columns(
        pl.lit(FOLD_VERSION, dtype=pl.UInt16).alias("fold_version"),
        pl.col("tokens").cast(pl.Decimal(38, 4)).truediv(_UNITS_PER_TOKEN).cast(pl.Decimal(38, 4)),
        *(pl.from_epoch(name, "ms").cast(_MILLISECONDS) for name in ("first_at", "last_at")),
    )


def _progress(lines: Lines) -> dict[int, Progress]:
    return {
        record.partition: Progress(record.position, record.offset, record.appended_at)
        for record in lines.records
    }
