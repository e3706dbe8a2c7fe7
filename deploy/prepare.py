"""Makes a store and a log ready for the services: tables, topics, and the first key.

Everything is made only where it is missing, so it may be done again at any time.

Next: deploy.topics
"""

from datetime import datetime
from pathlib import Path

from clickhouse_connect.driver.client import Client

from deploy import retention, topics
from deploy.connection import KEY, Connection, write_whole
from deploy.log_kept import events_days
from deploy.log_offsets import admin
from schemas.settings import StoreSettings
from sinks import keys
from sinks.clickhouse import connect
from sinks.migrate import migrate

TENANT = "sample"
MIGRATION_SECONDS = 600.0


def prepare(connection: Connection, settings: StoreSettings) -> tuple[list[str], list[str]]:
    """Bring tables and topics to what this release needs; the names of what was done.

    Raises Unavailable while an engine is away, PersonNeeded when the store is not what it says, or
    when the settings ask for what would count wrongly.
    """
    client = connect(connection.clickhouse_dsn, timeout_seconds=MIGRATION_SECONDS)
    try:
        applied = migrate(client, cluster=settings.cluster)
        touched = topics.ensure(
            connection.kafka,
            partitions=settings.partitions,
            replication_factor=settings.replication_factor,
        )
        with admin(connection.kafka) as broker:
            retention.apply(client, settings, log_days=events_days(broker))
    finally:
        client.close()
    return applied, touched


def first_key(connection: Connection, data_dir: Path, *, now: datetime) -> str:
    """The key in `admin.key` if the store knows it, else a new one with all scopes."""
    client = connect(connection.clickhouse_dsn)
    try:
        return _known_key(client, data_dir / KEY) or _new_key(client, data_dir / KEY, now)
    finally:
        client.close()


def _known_key(client: Client, path: Path) -> str | None:
    token = path.read_text().strip() if path.exists() else ""
    parts = keys.split_token(token)
    valid = {key.key_id for key in keys.read_keys(client)}
    return token if parts and parts[0] in valid else None


def _new_key(client: Client, path: Path, now: datetime) -> str:
    _, token = keys.create_key(client, tenant=TENANT, scopes=keys.SCOPES, teams=(), now=now)
    write_whole(path, token + "\n")
    return token
