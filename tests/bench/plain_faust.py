"""The peer: a plain Faust agent as its documentation has it, one event a record.

The same rows in dictionaries, the same sink (`sinks.inserts`, both tables), batches by `take`.
No guard, no first seen over a restart, no loads: less work than the product's.

Next: tests.bench.worker_speed
"""

import json
import os
import sys
import time
from datetime import datetime
from decimal import Decimal
from typing import Any

import faust
import polars as pl
import uvloop

from aggregators.fold import EVENT_COLUMNS, ROW_SCHEMA
from sinks.clickhouse import connect
from sinks.inserts import Inserts

BATCH_EVENTS = 5_000
WITHIN_SECONDS = 0.5

uvloop.install()
app = faust.App(
    "plain-faust",
    broker=f"kafka://{os.environ['KAFKA_BOOTSTRAP']}",
    web_enabled=False,
    topic_disable_leader=True,
    topic_allow_declare=False,
    consumer_auto_offset_reset="earliest",
    stream_buffer_maxsize=16_384,
)
topic = app.topic(os.environ["BENCH_TOPIC"], value_serializer="raw")
inserts = Inserts(connect(os.environ["CLICKHOUSE_DSN"]))
rows: dict[tuple[str, ...], list[Any]] = {}
seen: set[tuple[str, ...]] = set()


@app.agent(topic, concurrency=1)
async def fold(stream):
    """Fold a batch, insert its events and rows; Faust commits."""
    async for values in stream.take(BATCH_EVENTS, within=WITHIN_SECONDS):
        stored, changed = [], set()
        for value in values:
            event = json.loads(value)
            key = add(event)
            if key:
                changed.add(key)
                stored.append(event)
        inserts.insert("usage_events", events_frame(stored))
        inserts.insert("usage_daily", rows_frame(changed))
        line = json.dumps({"event": "flushed", "stored": len(stored), "at": time.time()})
        os.write(1, f"{line}\n".encode())  # Faust redirects sys.stdout into its log


def add(event: dict[str, str]) -> tuple[str, ...] | None:
    """Add an event to its row and return the row's key, or None for a duplicate."""
    day = event["time"][:10]
    identity = (event["tenant"], event["user_id"], day, event["source"], event["id"])
    if identity in seen:
        return None
    seen.add(identity)
    key = (
        event["tenant"],
        event["user_id"],
        event["product_id"],
        event["product_version"],
        event["team_id"],
        event["access"],
        day,
    )
    row = rows.setdefault(key, [0, Decimal(0), event["time"], event["time"]])
    row[0] += event["type"] == "product.launched"
    row[1] += Decimal(event["tokens"])
    row[2], row[3] = min(row[2], event["time"]), max(row[3], event["time"])
    return key


def events_frame(stored: list[dict[str, str]]) -> pl.DataFrame:
    """The events as columns of usage_events."""
    times = [
        pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%S%.3fZ", time_unit="ms", time_zone="UTC")
        for name in ("time", "received_at")
    ]
    return (
        pl.DataFrame(stored, schema=dict.fromkeys(EVENT_COLUMNS[:15], pl.String))
        .with_columns(*times, pl.col("tokens").cast(pl.Decimal(18, 4)))
        .with_columns(
            day=pl.col("time").dt.date(),
            partition=pl.lit(0, pl.UInt16),
            position=pl.lit(0, pl.UInt64),
            seq=pl.lit(0, pl.UInt32),
        )
    )


def rows_frame(changed: set[tuple[str, ...]]) -> pl.DataFrame:
    """The changed rows as columns of usage_daily."""
    moment = datetime.fromisoformat
    frame = pl.DataFrame(
        [
            (*key[:6], moment(key[6]).date(), row[0], row[1], moment(row[2]), moment(row[3]))
            for key in changed
            for row in (rows[key],)
        ],
        schema={
            **{name: ROW_SCHEMA[name] for name in list(ROW_SCHEMA)[:8]},
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


if __name__ == "__main__":
    sys.argv = ["plain_faust", "worker", "-l", "warn", "--without-web"]
    app.main()
