"""`usage-report backup` and `restore`: the whole store as files, or by ClickHouse's own means.

Next: deploy.backup
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from clickhouse_connect.driver.client import Client

from deploy import backup as files
from deploy import backup_files, connection, local, offline, replay, server_backup
from deploy import restore as restoring
from deploy.commands.terminal import DataDir, Json, fail, print_json, tell
from deploy.log_offsets import admin, read_offsets
from deploy.maintenance import backing_up, maintenance
from deploy.store import store
from schemas.kafka_address import KafkaAddress
from schemas.rejects import Unavailable
from sinks.leases import Lease

Place = Annotated[
    str, typer.Argument(help="A directory; or Disk('…', '…') or S3('…', …) of ClickHouse itself.")
]


def backup(place: Place, *, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Write the whole store, secrets included, while the system runs."""
    found = connection.find(data_dir)
    dsn, began, release = found.clickhouse_dsn, datetime.now(UTC), version("usage-report")
    with store(dsn, timeout_seconds=restoring.LONGEST_SECONDS) as client:
        if server_backup.is_destination(place):
            rows = None
            _by_clickhouse(client, place, found)
        else:
            with backing_up(dsn) as lease:
                rows = _to_files(client, Path(place), release, began, lease)
        restoring.note(client, taken_at=began, release=release)
    if as_json:
        print_json({"taken_at": began, "release": release, "rows": rows})
    else:
        count = f"{sum(rows.values())} rows " if rows else ""
        typer.echo(
            f"{count}as of {began:%Y-%m-%d %H:%M:%S} UTC; keep it like a secret: it has some"
        )


def _to_files(
    client: Client, place: Path, release: str, began: datetime, lease: Lease
) -> dict[str, int]:
    try:
        made = files.take(client, place, release=release, now=began, lease=lease)
    except OSError as error:
        fail(str(error))
    return {table.name: table.rows for table in made.tables}


def _by_clickhouse(client: Client, place: str, found: connection.Connection) -> None:
    with (
        admin(found.kafka) as broker,
        maintenance(found.clickhouse_dsn, broker, "backup", tell=tell) as lease,
    ):
        server_backup.take(client, place, lease=lease)


def restore(
    place: Place,
    *,
    data_dir: Annotated[
        Path | None, typer.Option(help="Data directory of an `up` that does not run.")
    ] = None,
    log_is_gone: Annotated[
        bool, typer.Option("--log-is-gone", help="Kafka's log is gone too: no replay can follow.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make an empty store of a backup; what came after it is in the log: see `replay`."""
    with _server(data_dir) as found:
        if server_backup.is_destination(place):
            database = restoring.database_of(found.clickhouse_dsn)
            fill = server_backup.from_server(place, database)
        else:
            manifest = _checked(Path(place))
            tell(f"every checksum is right; taken at {manifest.taken_at}")
            fill = restoring.from_files(Path(place), manifest, tell=tell)
        topic_id = None if data_dir else _topic_id(found.kafka)
        applied = restoring.restore(
            found.clickhouse_dsn, fill, topic_id=topic_id, log_is_gone=log_is_gone
        )
        lost = _lost(found) if topic_id and not log_is_gone else None
    command = None if log_is_gone else "usage-report replay --from progress"
    if command and lost:
        command += " --accept-loss"
    if as_json:
        print_json({"migrations": applied, "next": command, "lost_records": lost})
    else:
        _say(command, lost)


def _checked(place: Path) -> backup_files.Manifest:
    try:
        return backup_files.check(place)
    except backup_files.Damaged as damage:
        fail(f"{damage}. Nothing was written; take another backup")


@contextmanager
def _server(data_dir: Path | None) -> Iterator[connection.Connection]:
    """The server to fill: a running one, or that of a data directory, run for the moment."""
    if data_dir is None:
        yield connection.find()
        return
    try:
        with offline.clickhouse(data_dir) as dsn:
            yield connection.Connection(clickhouse_dsn=dsn)
    except local.AlreadyUp:
        fail(f"`usage-report up` runs on {data_dir}: stop it, and move its `clickhouse` away")


def _topic_id(kafka: KafkaAddress) -> str | None:
    """The id of the log, if Kafka and the log are there."""
    try:
        with admin(kafka) as broker:
            return read_offsets(broker).topic_id
    except Unavailable:
        return None


def _lost(found: connection.Connection) -> int:
    """Records that the store lacks and the log does not have any more."""
    with store(found.clickhouse_dsn) as client, admin(found.kafka) as broker:
        return sum(place.lost for place in replay.plan(client, broker, "progress"))


def _say(command: str | None, lost: int | None) -> None:
    if command is None:
        typer.echo("Restored. Start everything: the new log is counted from its beginning.")
        return
    typer.echo("Restored. Start everything; workers stop where the log has more. Then:")
    typer.echo(f"  {command}")
    typer.echo("and start the workers again.")
    if lost:
        typer.echo(f"Kafka has deleted {lost} records since: they are lost, senders may have them.")
    elif lost is None:
        typer.echo("Kafka was not asked: `replay` says when it has deleted records since.")
