"""`usage-report rebuild`: rows written again from their events, for users, days, or all.

Next: sinks.rebuild
"""

from dataclasses import asdict
from datetime import date
from typing import Annotated

import typer

from deploy import connection
from deploy.commands.terminal import FOUND, DataDir, Json, fail, print_json, tell
from deploy.log_offsets import admin
from deploy.maintenance import maintenance
from deploy.store import store
from sinks import rebuild as rebuilding

REBUILD_SECONDS = 3600.0


def _day(text: str) -> date:
    return date.fromisoformat(text)


def rebuild(
    *,
    user: Annotated[list[str] | None, typer.Option(help="A user id; may be repeated.")] = None,
    since: Annotated[
        date | None, typer.Option("--from", parser=_day, metavar="DAY", help="First UTC day.")
    ] = None,
    until: Annotated[
        date | None, typer.Option("--to", parser=_day, metavar="DAY", help="Last UTC day.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All rows whose events are kept.")
    ] = False,
    tenant: Annotated[str | None, typer.Option(help="Of this tenant alone.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Count rows again from their events and write them, running or not.

    Exit status 1 if any differs still.
    """
    chosen = rebuilding.Chosen(
        tenants=[tenant] if tenant else [], users=user or [], since=since, until=until
    )
    _check_chosen(chosen, everything=everything)
    place = connection.find(data_dir)
    with (
        store(place.clickhouse_dsn, timeout_seconds=REBUILD_SECONDS) as client,
        admin(place.kafka) as broker,
        maintenance(place.clickhouse_dsn, broker, "rebuild", tell=tell) as lease,
    ):
        try:
            done = rebuilding.rebuild(client, chosen, check=lease.check, tell=tell)
        except rebuilding.BeyondRetention as error:
            fail(str(error))
    if as_json:
        print_json(asdict(done))
    else:
        _say(done)
    if done.differ:
        raise typer.Exit(FOUND)


def _check_chosen(chosen: rebuilding.Chosen, *, everything: bool) -> None:
    some = bool(chosen.users or chosen.since or chosen.until)
    if some == everything:
        raise typer.BadParameter("give --user, --from and --to, or --all")
    if chosen.since and chosen.until and chosen.since > chosen.until:
        raise typer.BadParameter(f"--from {chosen.since} is after --to {chosen.until}")


def _say(done: rebuilding.Rebuilt) -> None:
    typer.echo(f"{done.rows} rows written, {done.differed} differed, {done.differ} differ now")
    if done.ahead:
        typer.echo(f"{done.ahead} rows had positions that no record has, and were deleted first")
