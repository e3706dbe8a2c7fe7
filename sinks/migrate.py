"""Bring a database to the newest schema: numbered files, each applied once, with its checksum.

A file that was changed after it was applied is refused: the store is not what the file says.

Next: sinks.inserts
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.resources import files

from clickhouse_connect.driver.client import Client

from schemas.rejects import PersonNeeded
from sinks import cluster as clusters
from sinks.clickhouse import obey_cluster, query, statement

_COMMENT = re.compile(r"--[^\n]*")

Form = Callable[[str], tuple[str, ...]]


@dataclass(frozen=True)
class Migration:
    """One numbered file."""

    name: str
    checksum: str
    statements: tuple[str, ...]


def migrations() -> list[Migration]:
    """All migrations in their order. Statements end with `;`, comments start with `--`."""
    found = []
    for file in sorted(files("sinks.migrations").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".sql"):
            text = file.read_text(encoding="utf-8")
            parts = (part.strip() for part in _COMMENT.sub("", text).split(";"))
            checksum = hashlib.sha256(text.encode()).hexdigest()
            found.append(Migration(file.name, checksum, tuple(part for part in parts if part)))
    return found


def migrate(client: Client, *, cluster: str = "") -> list[str]:
    """Apply what is missing and return the names applied, in order.

    `cluster` is the name of ClickHouse's cluster to make the tables on; empty for one node. Every
    statement is made to be repeatable, so a crash in mid-file is healed by the next call. Raises
    PersonNeeded when an applied file's checksum differs, or the store is not of this cluster.
    """
    form = _form(client, cluster)
    for sql in form(statement("sinks.sql", "create_schema_migrations")):
        client.command(sql)
    rows = query(client, statement("sinks.sql", "schema_migrations")).result_rows
    applied = {name: checksum for name, checksum in rows}  # noqa: C416 - typed rows
    new = []
    for migration in migrations():
        known = applied.get(migration.name)
        if known is None:
            _apply(client, migration, form)
            new.append(migration.name)
        elif known != migration.checksum:
            raise PersonNeeded(
                "migration_changed",
                f"{migration.name} was applied with another checksum.",
                remedy="install the release that wrote this store, or restore the file.",
            )
    return new


def _apply(client: Client, migration: Migration, form: Form) -> None:
    # All of the file before any of it: a form that is not known must not leave half a migration.
    for sql in [part for whole in migration.statements for part in form(whole)]:
        client.command(sql)
    client.insert(
        "schema_migrations",
        [[migration.name, migration.checksum]],
        column_names=["name", "checksum"],
    )


def _form(client: Client, cluster: str) -> Form:
    """How a statement is written for the store. Raises PersonNeeded when it is not of `cluster`."""
    stored = clusters.stored(client)
    if stored is not None and stored.cluster != cluster:
        raise PersonNeeded(
            "cluster",
            f"the tables are {_words(stored.cluster)}, and not {_words(cluster)}.",
            remedy="set USAGE_CLUSTER to what the tables were made with.",
        )
    if not cluster:
        return lambda sql: (sql,)
    sql = statement("sinks.sql", "cluster_hosts")
    hosts, replicates_itself, database = query(
        client, sql, parameters={"cluster": cluster}
    ).result_rows[0]
    if not hosts or not replicates_itself:
        raise PersonNeeded(
            "cluster",
            f"the server knows no cluster {cluster} whose shards all have internal_replication.",
            remedy="correct remote_servers of ClickHouse, or USAGE_CLUSTER.",
        )
    obey_cluster(client)
    return partial(clusters.clustered, cluster=cluster, database=database)


def _words(cluster: str) -> str:
    return f"of cluster {cluster}" if cluster else "of one node"
