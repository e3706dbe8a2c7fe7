"""The books: what was delivered and what became of it, by tenant, received day and partition.

A fold like a row's, with a guard of its own, so that a replay books nothing twice.

Next: aggregators.flush
"""

from dataclasses import dataclass

import polars as pl

from aggregators.decode import Lines
from aggregators.state import LedgerKey, LedgerRow, State
from schemas.rollups import FOLD_VERSION

# Input without a tenant that could be read, and the records' own counts, are booked under this.
NO_TENANT = ""

LEDGER_SCHEMA = {
    "tenant": pl.String,
    "received_day": pl.Date,
    "partition": pl.UInt16,
    "accepted": pl.UInt64,
    "stored": pl.UInt64,
    "duplicate": pl.UInt64,
    "dead": pl.UInt64,
    "counted": pl.UInt64,
    "position": pl.UInt64,
    "fold_version": pl.UInt16,
}


@dataclass
class Entry:
    """What one record adds to one row of the ledger."""

    accepted: int = 0
    stored: int = 0
    dead: int = 0
    counted: int = 0


def entries(lines: Lines, judged: pl.DataFrame) -> dict[tuple[LedgerKey, int], Entry]:
    """What each record adds, by (row of the ledger, position), in log order.

    `judged` is the batch's events with the column `first`.
    """
    found: dict[tuple[LedgerKey, int], Entry] = {}
    for record in lines.records:
        key = (NO_TENANT, record.appended_at.date(), record.partition)
        found[key, record.position] = Entry(counted=record.count)
    for line in lines.dead:
        key = (NO_TENANT, line.appended_at.date(), line.partition)
        found[key, line.position].dead += 1
    grouped = judged.group_by(
        "tenant", "received_day", "partition", "position", maintain_order=True
    ).agg(pl.len().alias("accepted"), pl.col("first").sum().alias("stored"))
    for *key_values, position, accepted, stored in grouped.iter_rows():
        tenant, received_day, partition = key_values
        entry = found.setdefault(((tenant, received_day, partition), position), Entry())
        entry.accepted += accepted
        entry.stored += stored
    return found


def keys(lines: Lines) -> set[LedgerKey]:
    """The rows of the ledger that a batch changes."""
    of_events = lines.events.select("tenant", "received_day", "partition").unique()
    of_records = {
        (NO_TENANT, record.appended_at.date(), record.partition) for record in lines.records
    }
    return of_records | {(tenant, day, part) for tenant, day, part in of_events.iter_rows()}


def add(row: LedgerRow, position: int, entry: Entry) -> None:
    """Book one record, unless the row has it already."""
    if position <= row.position:
        return
    row.accepted += entry.accepted
    row.stored += entry.stored
    row.duplicate += entry.accepted - entry.stored
    row.dead += entry.dead
    row.counted += entry.counted
    row.position = position


def fold_ledger(lines: Lines, judged: pl.DataFrame, state: State) -> pl.DataFrame:
    """Book a batch and return the changed rows, whole."""
    changed: dict[LedgerKey, LedgerRow] = {}
    for (key, position), entry in entries(lines, judged).items():
        changed[key] = state.ledger_row(key)
        add(changed[key], position, entry)
    return pl.DataFrame(
        [(*key, *_values(row)) for key, row in changed.items()], schema=LEDGER_SCHEMA, orient="row"
    )


def _values(row: LedgerRow) -> tuple[int, ...]:
    books = (row.accepted, row.stored, row.duplicate, row.dead, row.counted)
    return (*books, row.position, FOLD_VERSION)
