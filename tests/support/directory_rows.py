"""Entries of the directory and seat changes, put into the store as rows.

Next: tests.support.usage
"""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from clickhouse_connect.driver.client import Client

_versions = itertools.count(1)
_DAY = date(2025, 12, 1)
_YEAR = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31)}
# What an entry holds where a test says nothing else.
_VALID: dict[str, dict[str, Any]] = {
    "teams": {"team_id": "team-1", "name": "Team One", "personal_data": True},
    "team_members": {"team_id": "team-1", "user_id": "user-1"},
    "users": {
        "user_id": "user-1",
        "first_name": "Ada",
        "last_name": "Sample",
        "email": "ada@sample.example",
    },
    "products": {
        "product_id": "product-1",
        "name": "Product One",
        "kind": "product",
        "members": [],
    },
    "subscriptions": {
        "subscription_id": "subscription-1",
        "team_id": "team-1",
        "product_id": "product-1",
        "seats": 1,
        **_YEAR,
    },
    "token_packs": {
        "pack_id": "pack-1",
        "team_id": None,
        "tokens": Decimal(100),
        "purchased_on": _DAY,
        **_YEAR,
    },
    "prices": {
        "product_id": "product-1",
        "valid_from": _DAY,
        "annual_price": Decimal(2985),
        "tokens_per_day": Decimal(10),
        "token_price": Decimal(3),
        "currency": "EUR",
    },
    "seat_changes": {
        "user_id": "user-1",
        "product_id": "product-1",
        "team_id": "team-1",
        "access": "subscription",
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "assignment": "direct",
        "group": "",
        "request_id": "",
        "assigned": True,
        "actor": "",
    },
}


def insert_entry(client: Client, tenant: str, table: str, **changed: Any) -> None:
    """One entry of `table`, valid by default, over what was there before."""
    row = {
        "tenant": tenant,
        **_VALID[table],
        "deleted": False,
        "version": next(_versions),
        **changed,
    }
    client.insert(table, [list(row.values())], column_names=list(row))
