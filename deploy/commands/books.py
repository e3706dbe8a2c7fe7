"""`usage-report lag`, `ledger` and `verify`: all folded, balanced, and the same when folded again.

Next: deploy.log_offsets
"""

from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import typer

from deploy import connection
from deploy.ask import ask
from deploy.commands.terminal import FOUND, DataDir, Json, print_json, print_table
from deploy.connection import Connection
from deploy.log_offsets import LogOffsets, admin, read_offsets
from schemas.events import format_time
from schemas.topics import offset_of
from sinks.clickhouse import connect, statement
from sinks.loads import Loads, PartitionProgress

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def lag(*, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Records that are in the log and not yet folded, and up to when the numbers are complete."""
    place = connection.find(data_dir)
    with closing(connect(place.clickhouse_dsn)) as client:
        progress = Loads(client).progress()
    with admin(place.kafka_bootstrap) as broker:
        offsets = read_offsets(broker)
    rows = [_lag_row(offsets, progress.get(partition), partition) for partition in offsets.ends]
    total = sum(row["lag"] for row in rows)
    moments = [row["complete_up_to"] for row in rows]
    complete = None if None in moments or not moments else min(moments)
    if as_json:
        print_json({"lag_records": total, "complete_up_to": complete, "partitions": rows})
        return
    names = ("partition", "start", "end", "committed", "lag", "folded", "complete_up_to")
    shown = [[*(row[name] for name in names[:-1]), _to_the_second(row[names[-1]])] for row in rows]
    print_table("Log", names, shown)
    typer.echo(f"lag {total} records; complete up to {complete or 'not known yet'}")


def _lag_row(
    offsets: LogOffsets, progress: PartitionProgress | None, partition: int
) -> dict[str, Any]:
    """One partition; `folded` is the next offset to fold, as the store says."""
    return {
        "partition": partition,
        "start": offsets.starts[partition],
        "end": offsets.ends[partition],
        "committed": offsets.committed.get(partition),
        "lag": offsets.lag[partition],
        "folded": offset_of(progress.position + 1) if progress else None,
        "complete_up_to": _complete(progress) if progress else None,
    }


def _complete(progress: PartitionProgress) -> str | None:
    moment = max(_utc(progress.appended_at), _utc(progress.caught_up_at))
    return format_time(moment) if moment > _NEVER else None


def _to_the_second(moment: str | None) -> str | None:
    return moment[:19].replace("T", " ") if moment else None


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def ledger(
    *,
    days: Annotated[int, typer.Option(min=1, help="Days of receipt to go back.")] = 92,
    all_tenants: Annotated[
        bool, typer.Option("--all", help="The operator's books, by partition (CLICKHOUSE_DSN).")
    ] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """The books: what was accepted, stored, dropped as a duplicate, dead. Exit status 1 if off."""
    place = connection.find(data_dir)
    first = datetime.now(UTC).date() - timedelta(days=days - 1)
    books = _all_books(place, first) if all_tenants else ask(place, "/v1/ledger", from_=first)
    rows = books["partitions" if all_tenants else "days"]
    off = any(row["difference"] for row in rows)
    if as_json:
        print_json(books)
    else:
        names = list(rows[0]) if rows else []
        print_table("Ledger", names, [list(row.values()) for row in rows])
        typer.echo("the books do not balance" if off else "the books balance")
    if off:
        raise typer.Exit(FOUND)


def _all_books(place: Connection, first: date) -> dict[str, Any]:
    """Two differences that are not zero by construction: records' counts, and stored events."""
    with closing(connect(place.clickhouse_dsn)) as client:
        found = client.query(statement("sinks.sql", "books"), parameters={"from_day": first})
    rows = [dict(row) for row in found.named_results()]
    for row in rows:
        uncounted = row["counted"] - row["accepted"] - row["dead"]
        missing = row["stored"] - row["found"]
        row["difference"] = abs(uncounted) + abs(missing)
    return {"partitions": rows}


def verify(*, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Fold the stored events again and compare with the rows. Exit status 1 on a difference."""
    answer = ask(connection.find(data_dir), "/v1/verify")
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"{answer['differences']} differences in {answer['rows']} rows")
    if answer["differences"]:
        raise typer.Exit(FOUND)
