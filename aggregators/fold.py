"""The fold: a batch of decoded lines into user-days, and the frozen changes to be stored.

Pure: no clock, no chance, no other table. tests/support/plain_fold.py is its specification.

Next: aggregators.ledger
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from aggregators.decode import DeadLine, Lines
from aggregators.ledger import fold_ledger
from aggregators.state import SEQ_BITS, Row, RowKey, State, UserDayKey
from schemas import events
from schemas.rollups import FOLD_VERSION, USER_DAY_KEY

EVENT_COLUMNS = (*events.COLUMNS, "day", "partition", "position", "seq")

ROW_SCHEMA = {
    "tenant": pl.String,
    "user_id": pl.String,
    "product_id": pl.String,
    "product_version": pl.String,
    "team_id": pl.String,
    "access": pl.String,
    "day": pl.Date,
    "launches": pl.UInt64,
    "tokens": pl.Int128,
    "first_at": pl.Int64,
    "last_at": pl.Int64,
    "position": pl.UInt64,
    "partition": pl.UInt16,
}
_ROW_KEY = ("product_id", "product_version", "team_id", "access")
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
    verdicts = pl.Series(first_seen(lines.events, state), dtype=pl.Boolean)
    judged = lines.events.with_columns(first=verdicts)
    first = judged.filter("first")
    return Changes(
        batch=state.batch,
        events=first.select(EVENT_COLUMNS),
        rows=_fold_rows(first, state),
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


def first_seen(judged: pl.DataFrame, state: State) -> list[bool]:
    """Rule 1: which events have the smallest stamp known of their identity.

    The verdict is remembered for every delivered event, whatever the guard will say.
    """
    verdicts = []
    columns = _lists(judged, (*USER_DAY_KEY, "partition", "identity"))
    for tenant, user_id, day, partition, identity, stamp in zip(
        *columns, _stamps(judged), strict=True
    ):
        held = state.user_day((tenant, user_id, day))
        before = len(held.identities)
        verdicts.append(_is_first(held.identities, identity, stamp))
        if len(held.identities) > before:
            state.identities_added((tenant, user_id, day), partition, 1)
    return verdicts


def _is_first(known: dict[str, int], identity: str, stamp: int) -> bool:
    smallest = known.get(identity)
    if smallest is not None and smallest < stamp:
        return False
    known[identity] = stamp
    return True


def _stamps(judged: pl.DataFrame) -> list[int]:
    positions, seqs = judged["position"].to_list(), judged["seq"].to_list()
    return [(position << SEQ_BITS) | seq for position, seq in zip(positions, seqs, strict=True)]


def _fold_rows(first: pl.DataFrame, state: State) -> pl.DataFrame:
    """Add the first events to their rows, record by record, and return the changed rows whole."""
    changed: dict[tuple[UserDayKey, RowKey], int] = {}
    for where, sums in _by_row_and_record(first).items():
        key, row_key, partition, position = where[:3], where[3:7], where[7], where[8]
        state.row(state.user_day(key), row_key).add(position, *sums)
        changed[key, row_key] = partition
    return _frozen(changed, state)


def _by_row_and_record(first: pl.DataFrame) -> dict[tuple[Any, ...], list[int]]:
    """Launches, tokens in units, first and last time of each row and record, in log order."""
    sums: dict[tuple[Any, ...], list[int]] = {}
    where = zip(*_lists(first, (*USER_DAY_KEY, *_ROW_KEY, "partition", "position")), strict=True)
    what = first.select(
        pl.col("type") == events.LAUNCHED,
        pl.col("tokens").to_physical().cast(pl.Int64),
        pl.col("time").dt.epoch("ms"),
    )
    for place, launched, tokens, at in zip(where, *_lists(what, what.columns), strict=True):
        held = sums.get(place)
        if held is None:
            sums[place] = [int(launched), tokens, at, at]
        else:
            held[0] += launched
            held[1] += tokens
            held[2] = min(held[2], at)
            held[3] = max(held[3], at)
    return sums


def _lists(frame: pl.DataFrame, columns: Iterable[str]) -> list[list[Any]]:
    return [frame[name].to_list() for name in columns]


def _frozen(changed: dict[tuple[UserDayKey, RowKey], int], state: State) -> pl.DataFrame:
    rows = [
        (*key[:2], *row_key, key[2], *_totals(state.user_days[key].rows[row_key]), partition)
        for (key, row_key), partition in changed.items()
    ]
    frame = pl.DataFrame(rows, schema=ROW_SCHEMA, orient="row")
    return frame.with_columns(
        pl.lit(FOLD_VERSION, dtype=pl.UInt16).alias("fold_version"),
        pl.col("tokens").cast(pl.Decimal(38, 4)).truediv(_UNITS_PER_TOKEN).cast(pl.Decimal(38, 4)),
        *(pl.from_epoch(name, "ms").cast(_MILLISECONDS) for name in ("first_at", "last_at")),
    )


def _totals(row: Row) -> tuple[int, ...]:
    return (row.launches, row.tokens, row.first_at, row.last_at, row.position)


def _progress(lines: Lines) -> dict[int, Progress]:
    return {
        record.partition: Progress(record.position, record.offset, record.appended_at)
        for record in lines.records
    }
