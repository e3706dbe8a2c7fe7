"""`usage-report erase`: a user out of the store; what teams used stays, under a pseudonym.

Next: sinks.erasure
"""

from datetime import UTC, datetime
from typing import Annotated, Any

import structlog
import typer
from clickhouse_connect.driver.client import Client
from kafka import KafkaAdminClient

from deploy import connection
from deploy.commands.keys import tenant_of
from deploy.commands.terminal import USAGE, DataDir, Json, fail, print_json, print_table, tell
from deploy.log_kept import FOR_EVER, kept_until
from deploy.log_offsets import admin, read_offsets
from deploy.maintenance import maintenance
from deploy.store import store
from schemas import failpoints
from schemas.events import format_time
from schemas.settings import CommonSettings, read
from schemas.telemetry import configure_logging
from sinks import erasure as erasing
from sinks import keys
from sinks.clickhouse import query, statement
from sinks.rebuild import BeyondRetention

log = structlog.get_logger()

ERASE_SECONDS = 3600.0
_HASH_SHOWN = 12


def erase(
    *,
    user: Annotated[str, typer.Option(help="The user's id, as products send it.")],
    tenant: Annotated[str | None, typer.Option(help="Or the tenant of the key in use.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Erase a user, running or not; totals of teams stay. Safe to give again after a failure."""
    settings = read(CommonSettings)
    configure_logging(log_format=settings.log_format, level=settings.log_level)
    failpoints.arm(settings.failpoints)
    if not user:
        raise typer.BadParameter("--user is empty")
    place = connection.find(data_dir)
    with (
        store(place.clickhouse_dsn, timeout_seconds=ERASE_SECONDS) as client,
        admin(place.kafka) as broker,
    ):
        named = tenant or tenant_of(keys.read_keys(client), place.key)
        if named is None:
            fail("which tenant? Give --tenant, or set USAGE_KEY to a key with scope admin", USAGE)
        with maintenance(place.clickhouse_dsn, broker, "erase", tell=tell) as lease:
            hand = erasing.Hand(client, lease.check, tell, lambda: datetime.now(UTC))
            try:
                done = erasing.erase(hand, tenant=named, user_id=user)
            except (erasing.NotFolded, BeyondRetention) as error:
                fail(str(error))
            except erasing.UnknownTenant:
                fail(f"there is no tenant {named}; its first key creates it")
            answer = _answer(client, broker, done)
    log.info("erased", **{**answer, "user_hash": done.user_hash[:_HASH_SHOWN]})
    if as_json:
        print_json(answer)
    else:
        _say(answer)


def _answer(client: Client, broker: KafkaAdminClient, done: erasing.Erasure) -> dict[str, Any]:
    kept = query(client, statement("sinks.sql", "old_parts")).result_rows[0][0]
    return {
        "tenant": done.tenant,
        "user_hash": done.user_hash,
        "erased": done.tables,
        "finished": done.finished,
        "old_parts_seconds": kept,
        "log_until": {topic: _moment(until) for topic, until in kept_until(broker).items()},
        "not_folded": sum(read_offsets(broker).lag.values()),
    }


def _moment(until: datetime | None) -> str | None:
    if until is None:
        return None
    return "for ever" if until == FOR_EVER else format_time(until)


def _say(answer: dict[str, Any]) -> None:
    if answer["finished"]:
        typer.echo(f"{answer['finished']} erasures that were only half done are done now")
    rows = [[table, count] for table, count in answer["erased"].items() if count]
    if not rows:
        typer.echo("nothing is stored of this user: nothing to do")
    else:
        print_table("Erased", ("table", "rows"), rows)
        minutes = answer["old_parts_seconds"] / 60
        typer.echo(f"ClickHouse removes the old files within {minutes:.0f} minutes")
    for topic, until in answer["log_until"].items():
        if until:
            typer.echo(f"Kafka holds {topic} as it is now until {until} at the latest")
    if answer["not_folded"]:
        typer.echo(
            f"{answer['not_folded']} records are not folded yet: a new user's, if of this one"
        )
    typer.echo(
        "backups made before hold the user still: give the command again after restoring one"
    )
