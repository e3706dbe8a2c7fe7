"""`usage-report keys` and `hash`: API keys, and a user's stand-in, straight from ClickHouse.

The first key can't be made over HTTP, which asks for one; so these ask the store itself.

Next: sinks.keys
"""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from deploy import connection
from deploy.commands.terminal import USAGE, DataDir, Json, fail, print_json, print_table
from deploy.store import store
from schemas.events import format_time
from schemas.telemetry import configure_logging
from sinks import audit, keys

group = typer.Typer(no_args_is_help=True, help="API keys, straight from ClickHouse.")

Tenant = Annotated[str | None, typer.Option(help="Only this tenant's.")]


@group.command()
def create(
    *,
    tenant: Annotated[str, typer.Option(help="The tenant; its first key creates it.")],
    scope: Annotated[list[str], typer.Option(help=f"Of {', '.join(keys.SCOPES)}; repeatable.")],
    team: Annotated[list[str] | None, typer.Option(help="Only these teams.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make a key. It is shown once: only a hash of its secret is stored."""
    configure_logging(level="error")
    now, teams = datetime.now(UTC), team or []
    if not tenant or set(scope) - set(keys.SCOPES):
        fail(f"a key needs a tenant and scopes out of {', '.join(keys.SCOPES)}", USAGE)
    told = {"scopes": sorted(scope), "teams": teams}
    with (
        store(connection.find(data_dir).clickhouse_dsn) as client,
        audit.recorded(client, tenant, "create_key", now, **told) as details,
    ):
        key_id, key = keys.create_key(client, tenant=tenant, scopes=scope, teams=teams, now=now)
        details["key_id"] = key_id
    _tell_key(key_id, key, as_json=as_json)


def _tell_key(key_id: str, key: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"key_id": key_id, "key": key})
    else:
        typer.echo(key)


@group.command()
def rotate(
    key_id: Annotated[str, typer.Argument(help="The part between the two underscores.")],
    *,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make a key that may do what this one may; both are good until you revoke the old one.

    Give the new one to whoever sends or asks, see that the old one is not used any more (the key id
    is in the log lines of the gateway), and then revoke it: nothing is refused in between.
    """
    configure_logging(level="error")
    now = datetime.now(UTC)
    with store(connection.find(data_dir).clickhouse_dsn) as client:
        old = next((key for key in keys.read_keys(client) if key.key_id == key_id), None)
        if old is None:
            fail(f"there is no valid key {key_id}; `usage-report keys list` shows all")
        with audit.recorded(client, old.tenant, "rotate_key", now, old_key_id=key_id) as details:
            made, key = keys.create_key(
                client, tenant=old.tenant, scopes=old.scopes, teams=old.teams, now=now
            )
            details["key_id"] = made
    _tell_key(made, key, as_json=as_json)


@group.command("list")
def list_keys(*, tenant: Tenant = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """All keys, revoked ones included, without their secrets."""
    with store(connection.find(data_dir).clickhouse_dsn) as client:
        known = keys.read_rows(client)
    found = [
        {
            "key_id": row["key_id"],
            "tenant": row["tenant"],
            "scopes": sorted(row["scopes"]),
            "teams": sorted(row["teams"]),
            "created_at": format_time(row["created_at"]),
            "revoked_at": format_time(row["revoked_at"]) if row["revoked_at"] else None,
        }
        for row in known
        if tenant in {None, row["tenant"]}
    ]
    if as_json:
        print_json(found)
        return
    names = ("key_id", "tenant", "scopes", "teams", "created_at", "revoked_at")
    print_table("Keys", names, [[_cell(key[name], name) for name in names] for key in found])


def _cell(value: Any, name: str) -> str | None:
    """Lists in words, times to the minute."""
    if isinstance(value, list):
        return ", ".join(value)
    if value is not None and name.endswith("_at"):
        return str(value)[:16].replace("T", " ")
    return None if value is None else str(value)


@group.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The part between the two underscores.")],
    *,
    tenant: Tenant = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Revoke a key for good; every process has forgotten it within 3 seconds."""
    configure_logging(level="error")
    now = datetime.now(UTC)
    with store(connection.find(data_dir).clickhouse_dsn) as client:
        found = [row["tenant"] for row in keys.read_rows(client) if row["key_id"] == key_id]
        if not found or tenant not in {None, *found}:
            fail(f"there is no key {key_id}; `usage-report keys list` shows all")
        with audit.recorded(client, found[0], "revoke_key", now, key_id=key_id):
            keys.revoke_key(client, key_id=key_id, tenant=found[0], now=now)
    if as_json:
        print_json({"key_id": key_id, "revoked": True})
    else:
        typer.echo(f"{key_id} is revoked")


def hash_user(
    user: Annotated[str, typer.Argument(help="The user's id, as products send it.")],
    *,
    tenant: Annotated[str | None, typer.Option(help="Or the tenant of the key in use.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Print a user's hashed id, which stands for them where personal data is hidden."""
    place = connection.find(data_dir)
    with store(place.clickhouse_dsn) as client:
        named = tenant or tenant_of(keys.read_keys(client), place.key)
        secret = keys.tenant_secret(client, named) if named else None
    if named is None:
        fail("which tenant? Give --tenant, or set USAGE_KEY to a key with scope admin", USAGE)
    if secret is None:
        fail(f"there is no tenant {named}; its first key creates it")
    hashed = keys.hashed_user_id(secret, user)
    if as_json:
        print_json({"tenant": named, "hashed_user_id": hashed})
    else:
        typer.echo(hashed)


def tenant_of(known: list[keys.Key], token: str | None) -> str | None:
    """The tenant of a valid key with scope admin."""
    parts = keys.split_token(token or "")
    if parts is None:
        return None
    for key in known:
        if key.key_id == parts[0] and keys.matches(key, parts[1]) and key.allows("admin"):
            return key.tenant
    return None
