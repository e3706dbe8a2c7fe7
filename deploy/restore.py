"""Makes a store of a backup: all of it in a database beside, which then gets the store's name.

So a worker never meets half a store, and a restore that was killed is given again. Afterwards the
store is behind the log; a worker says so and stops until `usage-report replay`.
Next: deploy.replay
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from deploy.backup import FORMAT, applied_to
from deploy.backup_files import Manifest, TableFile, blocks
from deploy.losses import Loss, settle
from deploy.maintenance import NotNow
from schemas.rejects import PersonNeeded, Unavailable
from schemas.topics import position
from sinks.clickhouse import connect, query, reraise, statement
from sinks.loads import Loads
from sinks.migrate import migrate, migrations

LONGEST_SECONDS = 3600.0
_BLOCK_BYTES = 32 << 20
_SERVER = "default"
_SETTINGS = {
    "async_insert": 0,
    "max_partitions_per_insert_block": 0,
    # Older copies of a row come as they were: the answer tells how many rows arrived.
    "optimize_on_insert": 0,
    "insert_deduplicate": 0,
}


# Puts the backup's tables into the database of a client, without migrations.
Fill = Callable[[Client], None]


def restore(
    dsn: str, fill: Fill, *, topic_id: str | None = None, log_is_gone: bool = False
) -> list[str]:
    """Make the database of `dsn` out of what `fill` puts there; the migrations applied on top.

    `topic_id` is that of the log now, None where it is not known. `log_is_gone`: no replay will
    follow, so rows and books are brought up to the events that the backup has. Raises NotNow when
    the database has tables, or the log is not what was said of it, PersonNeeded for a backup of a
    newer release, and Unavailable.
    """
    database = database_of(dsn)
    draft = f"{database}_restoring"
    try:
        with _client(dsn, _SERVER) as server:
            _do(server, "database_drop", database=draft)
            check_empty(server, database)
            _do(server, "database_create", database=draft)
            with _client(dsn, draft) as client:
                fill(client)
                check_migrations(applied_to(client))
                applied = migrate(client)
                _suit_log(client, topic_id, log_is_gone=log_is_gone)
            check_empty(server, database)
            _do(server, "database_drop", database=database)
            _do(server, "database_rename", draft=draft, database=database)
    except (ClickHouseError, HTTPError) as error:
        reraise(error)
    return applied


def from_files(place: Path, manifest: Manifest, *, tell: Callable[[str], None]) -> Fill:
    """Out of a directory, whose manifest `deploy.backup_files.check` found to be whole.

    Raises PersonNeeded for a backup of a newer release, before anything is written.
    """
    check_migrations(manifest.migrations)

    def fill(client: Client) -> None:
        for table in manifest.tables:
            client.command(table.create)
            _load(client, place, table)
            if table.rows:
                tell(f"{table.name}: {table.rows} rows")

    return fill


def database_of(dsn: str) -> str:
    """The database that a DSN names."""
    return urlsplit(dsn).path.strip("/") or _SERVER


def check_empty(server: Client, database: str) -> None:
    """Raise NotNow when the database has tables."""
    sql = statement("sinks.sql", "backup_tables")
    if found := query(server, sql, parameters={"database": database}).result_rows:
        raise NotNow(
            f"the store is not empty: it has {len(found)} tables. A backup is restored into an"
            " empty data directory, or into a database without tables"
        )


def _suit_log(client: Client, topic_id: str | None, *, log_is_gone: bool) -> None:
    known = {row.topic_id for row in Loads(client).epochs()}
    if log_is_gone and topic_id in known:
        raise NotNow("Kafka has the log of this backup: restore without --log-is-gone")
    if not log_is_gone and known and topic_id not in {None, *known}:
        raise NotNow(
            "Kafka has another log than the one of this backup. Bring that one back, or go on"
            " without what it had after the backup: --log-is-gone"
        )
    if log_is_gone:
        _settle(client)


def check_migrations(applied: Mapping[str, str]) -> None:
    """Raise PersonNeeded for migrations that this release does not have, or has otherwise."""
    known = {migration.name: migration.checksum for migration in migrations()}
    if newer := sorted(set(applied) - set(known)):
        raise PersonNeeded(
            "backup_is_newer",
            f"the backup has {', '.join(newer)}, which this release does not know.",
            remedy="install the release that wrote the backup, or a newer one, and restore again.",
        )
    if changed := [name for name, checksum in applied.items() if known[name] != checksum]:
        raise PersonNeeded(
            "migration_changed",
            f"{', '.join(changed)}: applied with another checksum.",
            remedy="restore with the release that wrote the backup.",
        )


def _load(client: Client, place: Path, table: TableFile) -> None:
    written = 0
    for block in blocks(place, table, block_bytes=_BLOCK_BYTES):
        summary = client.raw_insert(
            table.name, insert_block=block, fmt=FORMAT, settings=_SETTINGS, compression=None
        )
        written += int(summary.written_rows)
    if written != table.rows:
        what = f"{table.name} took {written} of {table.rows} rows; restore again"
        raise Unavailable("clickhouse", what)


def note(client: Client, *, taken_at: datetime, release: str) -> None:
    """Remember a backup that is whole, for the metric of its age."""
    row = [taken_at, datetime.now(UTC), release]
    client.insert("backups", [row], column_names=["taken_at", "finished_at", "release"])


def _settle(client: Client) -> None:
    loads = Loads(client)
    epochs, progress = loads.epochs(), loads.progress()
    if epochs:
        # No position of the log that is gone comes again.
        start = position(epochs[-1].epoch + 1, 0)
        losses = [
            Loss(partition, progress[partition].position if partition in progress else 0, start)
            for partition in sorted({row.partition for row in epochs})
        ]
        settle(client, losses, check=lambda: None)


@contextmanager
def _client(dsn: str, database: str) -> Iterator[Client]:
    url = urlsplit(dsn)._replace(path=f"/{database}").geturl()
    with closing(connect(url, timeout_seconds=LONGEST_SECONDS)) as client:
        yield client


def _do(server: Client, name: str, **names: str) -> None:
    server.command(statement("sinks.sql", name), parameters=names)
