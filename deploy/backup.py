"""Reads a backup out of a store that is at work: table after table, in an order that is safe.

A worker stores events, then rows and books, then progress (rule 5 of aggregators/README.md), and
tables are read one after the other while it does. So they are read the other way round: first
what vouches (progress, then books and rows), later what is vouched for (events, epochs). Each
table is one SELECT, which sees the parts that there are when it begins. Whatever is written in
between, the backup is a store as a crash may leave it:

* What progress says is folded was stored before it was read, and rows, books and events are read
  later. So nothing below it is missing, and `replay --from progress` delivers all that is above.
* Rows, books and events may be ahead of progress, as after a crash before progress was stored:
  the guard skips what a row holds, and an event that is stored is first by its own stamp.
* Events may be ahead of rows, as after a crash between the two. Were rows ahead of events, a
  replay would heal that too, as it stores first events whatever the guard says; but where the log
  is gone there is no replay, and rows of more than their events can't be told from wrong ones.
* Epochs are read last: no position is of an epoch that the backup does not know.

In the same way a key is read before the tenant it needs, and seat changes before the requests that
they answer. Commands that delete or rewrite rows (`rebuild`, `erase`) are no flush, and are kept
away (deploy.maintenance). tests/model takes backups in this order, and in others, and restores.
Next: deploy.restore
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from deploy.backup_files import Draft, Folded, Manifest, TableFile, compressed
from deploy.maintenance import NotNow
from schemas.rejects import Unavailable
from schemas.topics import epoch_of, offset_of
from sinks.clickhouse import query, reraise, statement
from sinks.leases import Lease
from sinks.loads import Loads

FIRST = (
    *("log_ends", "progress", "usage_ledger", "usage_daily"),
    *("dead_letters", "keys", "seat_changes"),
)
LAST = ("usage_events", "change_requests", "tenants", "log_epochs", "schema_migrations")
# Claims of commands that are over when it is restored, and what is added up again by itself.
WITHOUT_ROWS = frozenset({"leases", "usage_monthly", "settled_months"})
FORMAT = "TabSeparatedWithNamesAndTypes"

_PIECE_BYTES = 1 << 20
_ALL = (1 << 63) - 1
# Names and types of the columns.
_HEAD_LINES = 2
_OF_ONE_SERVER = re.compile(r"(?!Replicated|Shared)\w*MergeTree")
_QUALIFIED = re.compile(r"^(CREATE TABLE )(?:`[^`]+`|\w+)\.")


def in_order(names: Iterable[str]) -> list[str]:
    """The tables in the order to read them in; one that nothing is known of in the middle."""
    places = {name: place - len(FIRST) for place, name in enumerate(FIRST)}
    places |= {name: place + 1 for place, name in enumerate(LAST)}
    return sorted(names, key=lambda name: (places.get(name, 0), name))


def take(client: Client, place: Path, *, release: str, now: datetime, lease: Lease) -> Manifest:
    """Write the backup `place` of the client's database; what it holds.

    `now` becomes its `taken_at`. To be called within `deploy.maintenance.backing_up`, whose lease
    is checked before the backup gets its name. Raises FileExistsError when `place` exists, NotNow
    for a store that is a part of a cluster, or was migrated meanwhile, and Unavailable.
    """
    try:
        with Draft(place) as draft:
            made = _statements(client)
            migrations = applied_to(client)
            folded = _folded(client)
            tables = [_table(client, draft, name, made[name]) for name in in_order(made)]
            if applied_to(client) != migrations:
                raise NotNow("the store was migrated meanwhile; give the command again")
            manifest = Manifest(
                release=release,
                taken_at=now,
                migrations=migrations,
                topic_id=_topic_id(client),
                folded=folded,
                tables=tables,
            )
            lease.check()
            draft.finish(manifest)
    except (ClickHouseError, HTTPError) as error:
        reraise(error)
    return manifest


def _statements(client: Client) -> dict[str, str]:
    """The statement of each table, without its database."""
    database = {"database": client.database}
    rows = query(client, statement("sinks.sql", "backup_tables"), parameters=database).result_rows
    # A part of the rows, or a name in a keeper that is taken as long as the table lives.
    elsewhere = [
        n for n, engine, _ in rows if not re.fullmatch(r"(?!Replicated)\w*MergeTree", engine)
    ]
    if elsewhere:
        raise NotNow(
            f"{', '.join(elsewhere)}: not tables of one server; let ClickHouse itself write the"
            " backup, to a Disk('…', '…') or S3('…')"
        )
    return {name: _QUALIFIED.sub(r"\1", made) for name, _, made in rows}


def applied_to(client: Client) -> dict[str, str]:
    """The migrations that were applied to a store, with their checksums."""
    rows = query(client, statement("sinks.sql", "schema_migrations")).result_rows
    return {name: checksum for name, checksum in rows}  # noqa: C416 - typed rows


def _folded(client: Client) -> list[Folded]:
    return [
        Folded(
            partition=partition,
            epoch=epoch_of(known.position + 1),
            offset=offset_of(known.position + 1) - 1,
            appended_at=known.appended_at,
        )
        for partition, known in Loads(client).progress().items()
    ]


def _topic_id(client: Client) -> str | None:
    epochs = Loads(client).epochs()
    return epochs[-1].topic_id if epochs else None


def _table(client: Client, draft: Draft, name: str, create: str) -> TableFile:
    rows = _Rows()
    draft.write(file := f"{name}.tsv.zst", compressed(rows.counted(_pieces(client, name))))
    return TableFile(name=name, create=create, file=file, rows=rows.count)


def _pieces(client: Client, name: str) -> Iterator[bytes]:
    parameters = {"table": name, "limit": 0 if name in WITHOUT_ROWS else _ALL}
    sql = statement("sinks.sql", "backup_rows")
    answer: Any = client.raw_stream(sql, parameters=parameters, fmt=FORMAT)
    try:
        while piece := answer.read(_PIECE_BYTES):
            yield piece
    finally:
        answer.close()


class _Rows:
    """Counts the rows that pass."""

    count = 0

    def counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same pieces. Raises Unavailable at their end when they are not whole rows.

        A server that fails in mid-answer may end it with a text. A tab within a value is escaped,
        so lines and columns tell how many tabs there are.
        """
        lines = tabs = 0
        head = end = b""
        for piece in pieces:
            head = head if b"\n" in head else head + piece
            lines, tabs = lines + piece.count(b"\n"), tabs + piece.count(b"\t")
            end = piece[-1:]
            yield piece
        columns = head.partition(b"\n")[0].count(b"\t") + 1
        if end != b"\n" or tabs != lines * (columns - 1):
            raise Unavailable("clickhouse", "an answer broke off")
        self.count = lines - _HEAD_LINES
