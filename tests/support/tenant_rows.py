"""Directory entries and seat changes put into the store as they lie there.

Next: tests.support.plain_tenant
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields

from clickhouse_connect.driver.client import Client

from tests.support.plain_tenant import Change, Directory, Tenant
from tests.support.usage import insert_usage

_TABLES = {
    "teams": "teams",
    "users": "users",
    "products": "products",
    "subscriptions": "subscriptions",
    "packs": "token_packs",
    "prices": "prices",
}
_versions = itertools.count(1 << 50)


def insert_tenant(client: Client, tenant: str, raw: Tenant, *, before: Directory) -> None:
    """Store all of a tenant, over the directory that it had before."""
    insert_directory(client, tenant, before)
    insert_directory(client, tenant, raw.directory)
    insert_changes(client, tenant, raw.changes)
    insert_usage(client, tenant, raw.events)


def insert_directory(client: Client, tenant: str, directory: Directory) -> None:
    """Store the entries, each with a version above those before."""
    for name, table in _TABLES.items():
        insert_entries(client, tenant, table, getattr(directory, name))


def insert_entries(client: Client, tenant: str, table: str, entries: Sequence[object]) -> None:
    """Store entries of one table."""
    if not entries:
        return
    names = [field.name for field in fields(entries[0])]
    lines = [
        (tenant, next(_versions), *(_stored(asdict(entry)[name]) for name in names))
        for entry in entries
    ]
    client.insert(table, lines, column_names=["tenant", "version", *names])


def _stored(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def insert_changes(client: Client, tenant: str, changes: Iterable[Change]) -> None:
    """Store seat changes; of those at the same moment the later one in the list is the newer."""
    insert_entries(client, tenant, "seat_changes", list(changes))
