"""`usage-report lag`, `ledger` and `verify`: all folded, balanced, and the same when folded again.

Next: deploy.log_offsets
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import typer

import sinks.verify
from aggregators.tails import lost
from deploy import connection
from deploy.ask import ask
from deploy.commands.terminal import FOUND, DataDir, Json, print_json, print_table
from deploy.connection import Connection
from deploy.log_offsets import LogOffsets, admin, read_offsets
from deploy.store import store
from schemas.events import format_time
from schemas.topics import offset_of
from sinks.clickhouse import query, statement
from sinks.loads import Loads, PartitionProgress

LOOKS = 3
PAUSE_SECONDS = 1.0
VERIFY_SECONDS = 600.0
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)

AllTenants = Annotated[
    bool, typer.Option("--all", help="Over all tenants, straight from ClickHouse.")
]


def lag(*, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Records that are in the log and not yet folded, and up to when the numbers are complete."""
    place = connection.find(data_dir)
    with store(place.clickhouse_dsn) as client:
        progress = Loads(client).progress()
        tails = lost(Loads(client).epochs(), Loads(client).log_ends())
    with admin(place.kafka) as broker:
        offsets = read_offsets(broker)
    rows = [_lag_row(offsets, progress.get(partition), partition) for partition in offsets.ends]
    total = sum(row["lag"] for row in rows)
    moments = [row["complete_up_to"] for row in rows]
    complete = None if None in moments or not moments else min(moments)
    gone = sum(sum(tail.values()) for tail in tails.values())
    if as_json:
        answer = {"lag_records": total, "complete_up_to": complete, "lost_records": gone}
        print_json({**answer, "partitions": rows})
        return
    names = ("partition", "start", "end", "committed", "lag", "folded", "complete_up_to")
    shown = [[*(row[name] for name in names[:-1]), _to_the_second(row[names[-1]])] for row in rows]
    print_table("Log", names, shown)
    typer.echo(f"lag {total} records; complete up to {complete or 'not known yet'}")
    if gone:
        typer.echo(f"at least {gone} records were lost with a topic: see `usage-report epoch show`")


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
    all_tenants: AllTenants = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """The books: what was accepted, stored, dropped as a duplicate, dead. Exit status 1 if off.

    With --all by partition: `counted` is what the records said they hold, `found` what is stored.
    """
    place = connection.find(data_dir)
    first = datetime.now(UTC).date() - timedelta(days=days - 1)
    if all_tenants:
        rows = _settled(lambda: _all_books(place, first))
    else:
        rows = _settled(lambda: ask(place, "/v1/ledger", from_=first)["days"])
    off = _is_off(rows)
    if as_json:
        print_json({"partitions" if all_tenants else "days": rows, "balanced": not off})
    else:
        print_table("Ledger", list(rows[0]) if rows else [], [list(row.values()) for row in rows])
        typer.echo("the books do not balance" if off else "the books balance")
    if off:
        raise typer.Exit(FOUND)


def _settled(look: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Events are stored a moment before they are booked: a difference is looked at again."""
    rows = look()
    for _ in range(LOOKS - 1):
        if _is_off(rows):
            time.sleep(PAUSE_SECONDS)
            rows = look()
    return rows


def _is_off(rows: list[dict[str, Any]]) -> bool:
    return any(row["difference"] for row in rows)


def _all_books(place: Connection, first: date) -> list[dict[str, Any]]:
    """Two differences that are not zero by construction: records' counts, and stored events."""
    with store(place.clickhouse_dsn) as client:
        found = query(client, statement("sinks.sql", "books"), parameters={"from_day": first})
    rows = [dict(row) for row in found.named_results()]
    for row in rows:
        uncounted = row["counted"] - row["accepted"] - row["dead"]
        missing = row["stored"] - row["found"]
        row["difference"] = abs(uncounted) + abs(missing)
    return rows


def verify(
    *, all_tenants: AllTenants = False, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """Fold the stored events again and compare with the rows. Exit status 1 on a difference."""
    place = connection.find(data_dir)
    answer = _verify_all(place) if all_tenants else ask(place, "/v1/verify")
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"{answer['differences']} differences in {answer['rows']} rows")
    if answer["differences"]:
        raise typer.Exit(FOUND)


def _verify_all(place: Connection) -> dict[str, Any]:
    with store(place.clickhouse_dsn, timeout_seconds=VERIFY_SECONDS) as client:
        found = sinks.verify.verify(client, today=datetime.now(UTC).date())
    examples = [asdict(example) for example in found.examples]
    return {"rows": found.checked, "differences": found.differences, "examples": examples}
