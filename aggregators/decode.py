"""Bytes of records to columns: one row a line, with its stamp; lines that can't be read are dead.

Whether a line is dead depends on that line alone, so a replay in other company says the same.

Next: aggregators.fold
"""

import io
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from polars.exceptions import PolarsError

from aggregators.records import Record
from aggregators.state import UserDayKey
from schemas import events
from schemas.rollups import USER_DAY_KEY

_SCHEMA = dict.fromkeys(events.COLUMNS, pl.String)
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%.3fZ"
# What a Date of ClickHouse can hold, less a day at its end.
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(2149, 6, 5)
_REQUIRED = ("tenant", "source", "id", "user_id", "team_id", "product_id")


@dataclass(frozen=True, slots=True)
class DeadLine:
    """Input that can't be decoded: where it stands on the log, and its bytes."""

    partition: int
    position: int
    seq: int
    appended_at: datetime
    raw: bytes
    detail: str


@dataclass(frozen=True)
class Lines:
    """A batch decoded.

    `events` holds one row per good line, in log order: the typed columns of `usage_events`, with
    `record` (index into `records`), `partition`, `position`, `seq`, `day`, `received_day`,
    `identity` (source and id in one string that no other pair can give) and `user_day` (the place
    of its own in `user_days`). `user_days` are those that the batch touches, (tenant, user_id,
    day), each with its partition.
    """

    records: list[Record]
    events: pl.DataFrame
    user_days: dict[UserDayKey, int]
    dead: list[DeadLine]


def decode(records: list[Record]) -> Lines:
    """Decode whole records; never raises for what they hold."""
    whole = [index for index, record in enumerate(records) if record.whole]
    frame = _read([records[index].value for index in whole])
    dead = [
        _dead(record, 0, record.value, "not a record of events")
        for record in records
        if not record.whole
    ]
    if frame is not None:
        places = _places(whole, [_count(records[index].value) for index in whole])
        parts = [frame.hstack(places)]
    else:
        parts = [_decode_alone(index, records[index], dead) for index in whole]
    typed = _typed(pl.concat(parts) if parts else _nothing(), records)
    dead += _dead_rows(typed, records)
    dead.sort(key=lambda line: (line.partition, line.position, line.seq))
    good = typed.filter("good").drop("good")
    user_day, user_days = _user_days(good)
    return Lines(records, good.with_columns(user_day=user_day), user_days, dead)


def _user_days(good: pl.DataFrame) -> tuple[pl.Series, dict[UserDayKey, int]]:
    """Of each event the place of its user-day, and the user-days with their partitions."""
    numbered = good.select(*USER_DAY_KEY, "partition").with_row_index("event")
    grouped = numbered.group_by(USER_DAY_KEY, maintain_order=True)
    touched = grouped.agg(pl.col("partition").last(), "event").with_row_index("place")
    places = touched.select("place", "event").explode("event").sort("event")["place"]
    keys = zip(*(touched[name].to_list() for name in USER_DAY_KEY), strict=True)
    return places, dict(zip(keys, touched["partition"].to_list(), strict=True))


def _count(value: bytes) -> int:
    return value.count(b"\n") + (not value.endswith(b"\n"))


def _read(values: list[bytes]) -> pl.DataFrame | None:
    """All lines of all values, or None when any of them needs to be looked at alone."""
    if not values:
        return None
    joined = b"\n".join(value.removesuffix(b"\n") for value in values)
    if joined.startswith(b"\n") or b"\n\n" in joined or joined.endswith(b"\n"):
        return None
    try:
        frame = pl.read_ndjson(io.BytesIO(joined + b"\n"), schema=_SCHEMA)
    except PolarsError:
        return None
    return frame if frame.height == joined.count(b"\n") + 1 else None


def _places(indexes: list[int], counts: list[int]) -> pl.DataFrame:
    seqs = [pl.int_range(count, dtype=pl.UInt32, eager=True) for count in counts]
    record = pl.Series("record", indexes, dtype=pl.UInt32)
    repeated = record.to_frame().select(pl.col("record").repeat_by(pl.Series(counts)).explode())
    return repeated.with_columns(seq=pl.concat(seqs))


def _decode_alone(index: int, record: Record, dead: list[DeadLine]) -> pl.DataFrame:
    """One record by itself, and line by line if it must be; bad lines go to `dead`."""
    frame = _read([record.value])
    if frame is not None:
        return frame.hstack(_places([index], [frame.height]))
    good = []
    for seq, line in enumerate(record.value.removesuffix(b"\n").split(b"\n")):
        row = _read([line]) if line else None
        if row is None:
            dead.append(_dead(record, seq, line, "not a line of JSON"))
        else:
            place = {"record": [index], "seq": [seq]}
            types = {"record": pl.UInt32, "seq": pl.UInt32}
            good.append(row.hstack(pl.DataFrame(place, schema=types)))
    return pl.concat(good) if good else _nothing()


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema={**_SCHEMA, "record": pl.UInt32, "seq": pl.UInt32})


def _typed(frame: pl.DataFrame, records: list[Record]) -> pl.DataFrame:
    """Typed columns and the column `good`: whether the line is one that a gateway writes."""
    by_record = pl.DataFrame(
        {
            "record": range(len(records)),
            "partition": [record.partition for record in records],
            "position": [record.position for record in records],
        },
        schema={"record": pl.UInt32, "partition": pl.UInt16, "position": pl.UInt64},
    )
    identity = pl.concat_str(
        pl.col("source").str.len_bytes().cast(pl.String), pl.lit(":"), "source", "id"
    )
    return (
        frame.with_columns(
            *(_time(name) for name in ("time", "received_at")),
            pl.col("tokens").cast(pl.Decimal(18, 4), strict=False),
            *(pl.col(name).fill_null("") for name in events.OPTIONAL),
            identity=identity,
        )
        .with_columns(
            day=pl.col("time").dt.date(), received_day=pl.col("received_at").dt.date(), good=_good()
        )
        .join(by_record, on="record", how="left", maintain_order="left")
    )


def _time(name: str) -> pl.Expr:
    return pl.col(name).str.to_datetime(_TIME_FORMAT, time_unit="ms", time_zone="UTC", strict=False)


def _good() -> pl.Expr:
    present = pl.all_horizontal(pl.col(name).fill_null("") != "" for name in _REQUIRED)
    parsed = pl.all_horizontal(
        pl.col(name).is_not_null() for name in ("time", "received_at", "tokens")
    )
    storable = pl.all_horizontal(
        pl.col(name).dt.date().is_between(_FIRST_DAY, _LAST_DAY) for name in ("time", "received_at")
    )
    known = pl.col("type").is_in(events.TYPES) & pl.col("access").is_in(list(events.Access))
    return present & parsed & (known & storable).fill_null(value=False)


def _dead_rows(frame: pl.DataFrame, records: list[Record]) -> list[DeadLine]:
    dead = []
    for index, seq in frame.filter(~pl.col("good")).select("record", "seq").iter_rows():
        record = records[index]
        line = record.value.removesuffix(b"\n").split(b"\n")[seq]
        dead.append(_dead(record, seq, line, "not a complete event"))
    return dead


def _dead(record: Record, seq: int, raw: bytes, detail: str) -> DeadLine:
    return DeadLine(record.partition, record.position, seq, record.appended_at, raw, detail)
