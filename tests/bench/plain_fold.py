"""The fold and the sink that every peer of the worker has: one event at a time, in dictionaries.

The same rows and the same sink (`sinks.inserts`, both tables) as the product's, with less work: no
guard, no first seen over a restart, no loads.

Next: tests.bench.plain_faust
"""

import json
import os
import time
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from schemas.events import COLUMNS, LAUNCHED
from schemas.rollups import ROW_KEY
from sinks.clickhouse import connect
from sinks.inserts import Inserts

# The most that a side takes before it flushes, ours among them; peers also flush after this long.
BATCH_EVENTS = 20_000
# A record of a gateway; peers have one event a record.
EVENTS_A_RECORD = 100
WITHIN_SECONDS = 0.5


class PlainFold:
    """Rows and identities in dictionaries; what a batch changed waits for its flush."""

    def __init__(self) -> None:
        self._inserts = Inserts(connect(os.environ["CLICKHOUSE_DSN"]))
        self._rows: dict[tuple[str, ...], list[Any]] = {}
        self._seen: set[tuple[str, ...]] = set()
        self._stored: list[dict[str, str]] = []
        self._changed: set[tuple[str, ...]] = set()

    def add(self, event: dict[str, str]) -> None:
        """Add an event to its row, unless it is a duplicate."""
        day = event["time"][:10]
        identity = (event["tenant"], event["user_id"], day, event["source"], event["id"])
        if identity in self._seen:
            return
        self._seen.add(identity)
        key = (
            event["tenant"],
            event["user_id"],
            event["product_id"],
            event["product_version"],
            event["team_id"],
            event["access"],
            day,
        )
        row = self._rows.setdefault(key, [0, Decimal(0), event["time"], event["time"]])
        row[0] += event["type"] == LAUNCHED
        row[1] += Decimal(event["tokens"])
        row[2], row[3] = min(row[2], event["time"]), max(row[3], event["time"])
        self._changed.add(key)
        self._stored.append(event)

    def flush(self) -> None:
        """Insert the batch's events and its changed rows, whole, and say so."""
        if not self._stored:
            return
        self._inserts.insert("usage_events", _events_frame(self._stored))
        self._inserts.insert("usage_daily", _rows_frame(self._rows, self._changed))
        print_flush(len(self._stored))
        self._stored, self._changed = [], set()


def print_flush(stored: int) -> None:
    """The line that `worker_speed` counts; past sys.stdout, which Faust redirects to its log."""
    line = json.dumps({"event": "flushed", "stored": stored, "at": time.time()})
    os.write(1, f"{line}\n".encode())


def _events_frame(stored: list[dict[str, str]]) -> pl.DataFrame:
    """The events as columns of usage_events."""
    times = [
        pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%S%.3fZ", time_unit="ms", time_zone="UTC")
        for name in ("time", "received_at")
    ]
    return (
        pl.DataFrame(stored, schema=dict.fromkeys(COLUMNS, pl.String))
        .with_columns(*times, pl.col("tokens").cast(pl.Decimal(18, 4)))
        .with_columns(
            day=pl.col("time").dt.date(),
            partition=pl.lit(0, pl.UInt16),
            position=pl.lit(0, pl.UInt64),
            seq=pl.lit(0, pl.UInt32),
        )
    )


def _rows_frame(
    rows: dict[tuple[str, ...], list[Any]], changed: set[tuple[str, ...]]
) -> pl.DataFrame:
    """The changed rows as columns of usage_daily."""
    moment = datetime.fromisoformat
    frame = pl.DataFrame(
        [
            (*key[:6], moment(key[6]).date(), row[0], row[1], moment(row[2]), moment(row[3]))
            for key in changed
            for row in (rows[key],)
        ],
        schema={
            **dict.fromkeys(ROW_KEY[:-1], pl.String),
            "day": pl.Date,
            "launches": pl.UInt64,
            "tokens": pl.Decimal(18, 4),
            "first_at": pl.Datetime("ms", "UTC"),
            "last_at": pl.Datetime("ms", "UTC"),
        },
        orient="row",
    )
    return frame.with_columns(
        position=pl.lit(int(time.time()), pl.UInt64),
        partition=pl.lit(0, pl.UInt16),
        fold_version=pl.lit(1, pl.UInt16),
    )
