"""`usage-report replay`: deliver records again, from a place that is safe to start at.

Next: deploy.replay
"""

from typing import Annotated

import typer

from deploy import connection
from deploy import replay as replaying
from deploy.commands.terminal import GO_ON, DataDir, Json, fail, print_json, print_table, tell
from deploy.log_offsets import admin
from deploy.maintenance import maintenance
from deploy.store import store


def _start(text: str) -> replaying.Start:
    try:
        return replaying.parse_start(text)
    except ValueError as error:
        raise typer.BadParameter(f"progress, earliest or a time in RFC 3339: {error}") from error


def replay(
    *,
    start: Annotated[
        str, typer.Option("--from", help="progress (the store's), earliest, or a time.")
    ] = "progress",
    accept_loss: Annotated[
        bool, typer.Option(help="Go on after records that were deleted before they were folded.")
    ] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Set the workers' place in the log back, running or not; folds nothing twice."""
    place, begin = connection.find(data_dir), _start(start)
    with (
        store(place.clickhouse_dsn) as client,
        admin(place.kafka) as broker,
        maintenance(place.clickhouse_dsn, broker, "replay", tell=tell) as lease,
    ):
        places = replaying.plan(client, broker, begin)
        lost = sum(each.lost for each in places)
        if lost and not accept_loss:
            fail(f"{lost} records were deleted before they were folded; to go on: --accept-loss")
        lease.check()
        replaying.apply(client, broker, lease, places)
    if as_json:
        print_json({"places": [vars(each) for each in places], "lost": lost})
        return
    rows = [[each.partition, each.before, each.start, each.lost] for each in places]
    print_table("Replay", ("partition", "offset before", "offset now", "lost"), rows)
    typer.echo(GO_ON)
