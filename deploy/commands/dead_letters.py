"""`usage-report dead-letters`: list what was refused, and replay what is good by now.

Next: deploy.replay_letters
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer
from clickhouse_connect.driver.client import Client

from deploy import connection
from deploy.ask import ask
from deploy.commands.keys import tenant_of
from deploy.commands.terminal import USAGE, DataDir, Json, fail, print_json, print_table
from deploy.connection import Connection
from deploy.log_offsets import admin
from deploy.replay_letters import NotNow, Replay, Replayed
from deploy.store import store
from query_service.dead_letters import SHOWN_BYTES, described
from schemas.rejects import Reason
from schemas.settings import IngestSettings, read
from schemas.telemetry import configure_logging
from sinks import audit, dead_letters, keys
from sinks.dead_letters import Choice

group = typer.Typer(no_args_is_help=True, help="What was refused: list it, and replay it.")

Reasons = Annotated[
    list[Reason] | None,
    typer.Option("--reason", metavar="REASON", help="Only those refused for it; repeatable."),
]
First = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of receipt, UTC.")
]
Last = Annotated[
    datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day of receipt, UTC.")
]
Everybodys = Annotated[
    bool, typer.Option("--all", help="Of all tenants and of none, straight from ClickHouse.")
]
Origins = Annotated[
    list[str] | None, typer.Option("--origin", help="Only this letter, as listed; repeatable.")
]
AnyTeam = Annotated[bool, typer.Option("--any-team", help="As if no key were limited to teams.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]

_COLUMNS = ("origin", "received_at", "reason", "size_bytes", "replayed", "detail")


@group.command("list")
def list_letters(
    *,
    reason: Reasons = None,
    first: First = None,
    last: Last = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    everybodys: Everybodys = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """The latest dead letters first. What was sent is in --json, where names are shown.

    With --all also lines of the log that could not be read, which are no tenant's.
    """
    place = connection.find(data_dir)
    reasons, start, end = [*(reason or ())], _day(first), _day(last)
    if everybodys:
        choice = Choice(reasons=reasons, first=start, last=end)
        found = _of_everybody(place, choice, limit)
    else:
        asked = {"reason": reasons, "from_": start, "to": end, "limit": limit}
        found = ask(place, "/v1/dead-letters", **asked)["dead_letters"]
    if as_json:
        print_json({"dead_letters": found})
        return
    names = ("tenant", *_COLUMNS) if everybodys else _COLUMNS
    print_table("Dead letters", names, [[letter[name] for name in names] for letter in found])


def _of_everybody(place: Connection, choice: Choice, limit: int) -> list[dict[str, Any]]:
    with store(place.clickhouse_dsn) as client:
        rows = dead_letters.latest(client, choice, limit=limit, shown_bytes=SHOWN_BYTES)
    return [{"tenant": row["tenant"], **described(row, shown=True)} for row in rows]


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


@group.command()
def replay(
    *,
    reason: Reasons = None,
    origin: Origins = None,
    first: First = None,
    last: Last = None,
    everybodys: Everybodys = False,
    any_team: AnyTeam = False,
    dry_run: DryRun = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Judge letters again: what is good by now goes to the log, and is counted once.

    Each is judged as of its arrival and by its own key, revoked or not: late is late.

    One that is `forbidden` stays so, unless --any-team vouches for it. What is still refused stays,
    with its reason of now; so does what was cut at 64 KiB, or is of a day whose events are gone.

    With --all also lines of the log that can be read by now, for the tenant that they name.

    What its sender has meanwhile sent again under another id would be counted twice. Upgrade the
    workers first: what they can't read becomes a dead letter again.

    May be given while everything runs, but not during `epoch bump`, which wants the log at rest.
    """
    configure_logging(level="error")
    place = connection.find(data_dir)
    with store(place.clickhouse_dsn) as client, admin(place.kafka) as broker:
        tenant = None if everybodys else tenant_of(keys.read_keys(client), place.key)
        if tenant is None and not everybodys:
            fail("whose? Set USAGE_KEY to a key with scope admin, or give --all", USAGE)
        choice = Choice(tenant, reason or (), origin or (), _day(first), _day(last))
        settings, now = read(IngestSettings), datetime.now(UTC)
        run = Replay(client, broker, settings=settings, now=now, any_team=any_team)
        try:
            found = run.look(choice) if dry_run else _run(run, client, choice, place, now)
        except NotNow as error:
            fail(str(error))
    _tell(found, dry_run=dry_run, as_json=as_json)


def _run(run: Replay, client: Client, choice: Choice, place: Connection, now: datetime) -> Replayed:
    """The replay, in the audit log of the tenant; one of all tenants is in that of none ('')."""
    name = "replay_dead_letters"
    with audit.recorded(
        client, choice.tenant or "", name, now, of_all=choice.tenant is None
    ) as told:
        found = run.run(choice, place.kafka)
        told.update(replayed=found.replayed, refused=sum(found.refused.values()))
    return found


def _tell(found: Replayed, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        refused = {str(reason): number for reason, number in sorted(found.refused.items())}
        print_json({**vars(found), "refused": refused, "dry_run": dry_run})
        return
    rows: Sequence[Sequence[Any]] = [
        ["would be replayed" if dry_run else "replayed", found.replayed],
        *([f"refused: {reason}", number] for reason, number in sorted(found.refused.items())),
        ["cut at 64 KiB, cannot be replayed", found.cut],
    ]
    print_table("Dead letters", ("what", "letters"), [row for row in rows if row[1]])
