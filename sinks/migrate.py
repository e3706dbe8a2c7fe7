"""Bring a database to the newest schema: numbered files, each applied once, with its checksum.

A file that was changed after it was applied is refused: the store is not what the file says.

Next: sinks.inserts
"""

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files

from clickhouse_connect.driver.client import Client

from schemas.rejects import PersonNeeded
from sinks.clickhouse import statement

_COMMENT = re.compile(r"--[^\n]*")


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


def migrate(client: Client) -> list[str]:
    """Apply what is missing and return the names applied, in order.

    Every statement is made to be repeatable, so a crash in mid-file is healed by the next call.
    Raises PersonNeeded when an applied file's checksum differs.
    """
    client.command(statement("sinks.sql", "create_schema_migrations"))
    rows = client.query(statement("sinks.sql", "schema_migrations")).result_rows
    applied = {name: checksum for name, checksum in rows}  # noqa: C416 - typed rows
    new = []
    for migration in migrations():
        known = applied.get(migration.name)
        if known is None:
            _apply(client, migration)
            new.append(migration.name)
        elif known != migration.checksum:
            raise PersonNeeded(
                "migration_changed",
                f"{migration.name} was applied with another checksum.",
                remedy="install the release that wrote this store, or restore the file.",
            )
    return new


def _apply(client: Client, migration: Migration) -> None:
    for sql in migration.statements:
        client.command(sql)
    client.insert(
        "schema_migrations",
        [[migration.name, migration.checksum]],
        column_names=["name", "checksum"],
    )
