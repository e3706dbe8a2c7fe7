"""Two tenants with everything, one of which has the ids of the other too, under other names.

All that is the victim's holds one of its marks: what comes back to another tenant is found by it.

Next: tests.support.tenant_calls
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx
from clickhouse_connect.driver.client import Client

from sinks.keys import create_key, hashed_user_id, tenant_secret
from tests.support.dead_letter_rows import insert_letters
from tests.support.directory import put
from tests.support.query_server import NOW, QueryServer
from tests.support.usage import event, insert_usage

# Of the attacker; of the victim's own; of what the victim calls by the attacker's ids.
OWN, OTHER, TWIN = "zqown", "zqother", "zqtwin"
# A value of the same form as the victim's, which nobody has.
NOBODY = "zqnever"
# Tests that run beside others keep the machine busy.
PATIENCE_SECONDS = 300.0
_TABLES = "SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'tenant'"


@dataclass
class Tenant:
    """A tenant that asks and is asked about; `mark` is in all of its ids."""

    name: str
    mark: str
    server: QueryServer
    client: Client
    key_id: str = ""
    key: str = ""
    events: list[str] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)

    def begin(self) -> Tenant:
        """Make its key."""
        wanted = {"scopes": ["admin"], "teams": (), "now": NOW}
        self.key_id, self.key = create_key(self.client, tenant=self.name, **wanted)
        self.server.refresh_keys()
        headers, place = {"X-API-Key": self.key}, {"base_url": self.server.url}
        self.http = httpx.Client(**place, headers=headers, timeout=PATIENCE_SECONDS)
        self.page = httpx.Client(**place, timeout=PATIENCE_SECONDS)
        assert self.page.post("/sign-in", data={"key": self.key}).status_code == 303
        return self

    def fill(self, ids: str, names: str, tokens: str) -> Tenant:
        """Store everything under these ids and with these names; `tokens` of packs and use."""
        for entity, entries in _directory(ids, names, tokens).items():
            put(self.http, entity, *entries)
        self.events += insert_usage(self.client, self.name, _uses(ids, names, tokens))
        raw = f'{{"subject": "{ids}-user", "data": {{"team_id": "{ids}-team"}}, "x": "{names}"}}'
        self.letters += insert_letters(self.client, self.name, [raw.encode()], last_at=NOW)
        return self

    def assign(self, ids: str) -> Tenant:
        """Give somebody a seat under a request id."""
        seat = {"user_id": f"{ids}-user", "product_id": f"{ids}-held", "team_id": f"{ids}-team"}
        body = {"items": [seat], "request_id": f"{ids}-request"}
        assert self.http.post("/v1/assign", json=body).status_code == 200
        return self

    def hash_of(self, user: str) -> str:
        """What stands for the user."""
        return hashed_user_id(tenant_secret(self.client, self.name), user)

    def state(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that is stored of it, table by table."""
        found = {}
        for (table,) in self.client.query(_TABLES).result_rows:
            sql = f"SELECT * FROM {table} FINAL WHERE tenant = {{tenant:String}} ORDER BY ALL"
            found[table] = self.client.query(sql, parameters={"tenant": self.name}).result_rows
        return found

    def close(self) -> None:
        """Close its connections."""
        self.http.close()
        self.page.close()


def marks(victim: Tenant) -> set[str]:
    """What no answer to anybody else may hold unless it was sent."""
    users = [f"{ids}-user" for ids in (OWN, OTHER)]
    made = {victim.name, victim.key_id, *victim.events, *victim.letters}
    return {OTHER, TWIN, "777123", "777.1234", *made, *map(victim.hash_of, users)}


def _directory(ids: str, names: str, tokens: str) -> dict[str, list[dict]]:
    team, user, product = f"{ids}-team", f"{ids}-user", f"{ids}-product"
    time = {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}
    seat = {"team_id": team, "user_id": user, "at": "2026-01-01T00:00:00Z", "assigned": True}
    price = {"annual_price": tokens, "tokens_per_day": "10", "token_price": "3"}
    return {
        "teams": [{"team_id": team, "name": f"{names} Team", "personal_data": True}],
        "users": [
            {
                "user_id": user,
                "first_name": f"{names}-first",
                "last_name": f"{names}-last",
                "email": f"{names}@people.example",
            }
        ],
        "team_members": [{"team_id": team, "user_id": user}],
        "products": [
            {"product_id": product, "name": f"{names} Product"},
            {"product_id": f"{ids}-suite", "kind": "collection", "members": [product]},
        ],
        "subscriptions": [
            {"subscription_id": f"{ids}-subscription", "team_id": team, "product_id": product}
            | {"seats": 7, **time}
        ],
        "token_packs": [
            {"pack_id": f"{ids}-pack", "team_id": team, "tokens": tokens}
            | {"purchased_on": "2026-01-01", **time}
        ],
        "prices": [{"product_id": product, "valid_from": "2026-01-01", "currency": "EUR"} | price],
        "assignments": [
            seat | {"product_id": product, "assignment": "direct"},
            seat | {"product_id": f"{ids}-suite", "assignment": "group", "group": f"{names}-group"},
        ],
    }


def _uses(ids: str, names: str, tokens: str) -> list:
    place = {"user_id": f"{ids}-user", "team_id": f"{ids}-team", "product_id": f"{ids}-product"}
    days = [str(date(2026, 5, 1) + timedelta(days=number)) for number in range(3)]
    flex = {"access": "flex", "tokens": Decimal(tokens)}
    return [
        *(event(day, **place, version=f"{names}-version") for day in days),
        event(days[0], **place, version=f"{names}-version", **flex),
    ]
