"""API keys: made, revoked, and found again by every request without asking ClickHouse.

A key is `ur_<key_id>_<secret>`; only the secret's SHA-256 is stored, without salt. The secret is
256 random bits and no person's password: nobody can try them all, however fast the hash is, no two
are equal, and no table of them can be made beforehand. Each request is checked, so it is fast.

Next: ingest.auth
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from sinks.clickhouse import query, statement

SCOPES = ("ingest", "import", "read", "manage", "admin")
# A scope on the left is also held by whoever holds one on the right.
_IMPLIED_BY = {
    "ingest": {"ingest", "import"},
    "import": {"import"},
    "read": {"read", "manage", "admin"},
    "manage": {"manage", "admin"},
    "admin": {"admin"},
}


@dataclass(frozen=True)
class Key:
    """A key without its secret. `teams` empty: not limited to teams."""

    key_id: str
    tenant: str
    secret_hash: str
    scopes: frozenset[str]
    teams: frozenset[str]

    def allows(self, scope: str) -> bool:
        """Whether the key holds `scope`, itself or through a wider one."""
        return not self.scopes.isdisjoint(_IMPLIED_BY[scope])

    def sees_team(self, team_id: str) -> bool:
        """Whether the key may write to or read this team."""
        return not self.teams or team_id in self.teams


def split_token(token: str) -> tuple[str, str] | None:
    """The (key_id, secret) of a full key, or None when it does not have the form of one."""
    parts = token.split("_", 2)
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == "ur" else None


def matches(key: Key, secret: str) -> bool:
    """Whether `secret` is the key's, compared in constant time."""
    return hmac.compare_digest(_hash(secret), key.secret_hash)


def create_key(
    client: Client,
    *,
    tenant: str,
    scopes: Iterable[str],
    teams: Iterable[str],
    now: datetime,
    key_id: str = "",
) -> tuple[str, str]:
    """Store a new key, and its tenant if this is its first; return (key_id, full key).

    `key_id` is one that no key has, or empty for a random one.
    Raises ValueError for an unknown scope or an empty tenant.
    """
    wanted = sorted(set(scopes))
    if not tenant or not wanted or set(wanted) - set(SCOPES):
        raise ValueError(f"a key needs a tenant and scopes out of {', '.join(SCOPES)}")
    _ensure_tenant(client, tenant, now)
    key_id, secret = key_id or secrets.token_hex(8), secrets.token_urlsafe(32)
    _write(client, [key_id, tenant, _hash(secret), wanted, sorted(set(teams)), now, None], now)
    return key_id, f"ur_{key_id}_{secret}"


def revoke_key(client: Client, *, key_id: str, tenant: str | None, now: datetime) -> bool:
    """Revoke a key for good; False when there is none (of this tenant, if one is given)."""
    for row in read_rows(client):
        if row["key_id"] == key_id and tenant in (None, row["tenant"]):
            _write(client, [*list(row.values())[:-1], row["revoked_at"] or now], now)
            return True
    return False


def read_rows(client: Client) -> list[dict[str, Any]]:
    """Every key as stored, revoked ones included, oldest first."""
    return list(query(client, statement("sinks.sql", "keys")).named_results())


def read_keys(client: Client, *, revoked: bool = False) -> list[Key]:
    """Every key that is not revoked; with `revoked` those as well."""
    return [
        Key(
            key_id=row["key_id"],
            tenant=row["tenant"],
            secret_hash=row["secret_hash"],
            scopes=frozenset(row["scopes"]),
            teams=frozenset(row["teams"]),
        )
        for row in read_rows(client)
        if revoked or row["revoked_at"] is None
    ]


def tenant_secret(client: Client, tenant: str) -> bytes | None:
    """The secret that the tenant's user ids are hashed with, or None for an unknown tenant."""
    sql = statement("sinks.sql", "tenant_secret")
    rows = query(client, sql, parameters={"tenant": tenant}).result_rows
    return bytes.fromhex(rows[0][0]) if rows else None


def hashed_user_id(secret: bytes, user_id: str) -> str:
    """The stand-in for a user id: hex(HMAC-SHA256(tenant's secret, user_id))[:40]."""
    return hmac.new(secret, user_id.encode(), hashlib.sha256).hexdigest()[:40]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _ensure_tenant(client: Client, tenant: str, now: datetime) -> None:
    if tenant_secret(client, tenant) is None:
        # Two first keys at once: the lowest version stays for good, see the negated clock.
        client.insert(
            "tenants",
            [[tenant, secrets.token_hex(32), now, _MAX_VERSION - _micros(now)]],
            column_names=["tenant", "secret", "created_at", "version"],
        )


_MAX_VERSION = (1 << 64) - 1


def _micros(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


def _write(client: Client, values: list[Any], now: datetime) -> None:
    client.insert(
        "keys",
        [[*values, _micros(now)]],
        column_names=[
            "key_id",
            "tenant",
            "secret_hash",
            "scopes",
            "teams",
            "created_at",
            "revoked_at",
            "version",
        ],
    )
