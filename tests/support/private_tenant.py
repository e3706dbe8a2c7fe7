"""A tenant whose people can be found in any answer: every name, mail and id is there only once.

Next: tests.support.privacy_calls
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

import httpx
import orjson

from sinks.keys import create_key, hashed_user_id, tenant_secret
from tests.support.dead_letter_rows import insert_letters
from tests.support.directory import put
from tests.support.usage import event, insert_usage

FIRST, SECOND, NOWHERE = "team-first", "team-second", "team-nowhere"
PRODUCTS = ("product-used", "product-held", "product-bundle")


@dataclass(frozen=True)
class Person:
    """Somebody, and the teams where he uses something."""

    user_id: str
    first_name: str
    last_name: str
    email: str
    teams: tuple[str, ...]

    @property
    def data(self) -> tuple[str, ...]:
        """All that is personal."""
        return (self.user_id, self.first_name, self.last_name, self.email)


PEOPLE = (
    Person("zqanna-id", "Zqannette", "Zqanders", "zqanna@people.example", (FIRST,)),
    Person("zq ünï/木-id", "Zqünïcode", "Zqläst 木村", "zqü+1@people.example", (FIRST,)),
    Person("zqcarl|id;3", 'Zq"carl" &', "Zqcarlsson's", "zqcarl@people.example", (SECOND,)),
    Person("zqdora@id.example", "Zqdöra-Dora", "=Zqdoradottir", "zqdora@people.example", (SECOND,)),
    Person("zqevelyn%20id", "Zqevelyn", "Zq<b>eve</b>", "zqeve@people.example", (FIRST, SECOND)),
    Person("zqشخص🦊-id", "Zqشخصشخص", "Zq🦊🦊🦊fox", "zqfox@people.example", (FIRST, SECOND)),
)
# Of no one that the directory knows.
STRANGER = "zqstranger-id"
EVERYTHING = (STRANGER, *(data for person in PEOPLE for data in person.data))


@dataclass
class PrivateTenant:
    """The tenant, its secret, and one of its events for each user."""

    client: object
    tenant: str
    now: datetime
    teams: dict[str, bool]
    events: list[str] = field(default_factory=list)
    clients: list[httpx.Client] = field(default_factory=list)

    def fill(self, url: str, *, empty: bool = False) -> PrivateTenant:
        """Tell the directory, and store use; of an `empty` one the teams alone."""
        http = self.http(url, scopes=("manage",))
        entries = {} if empty else _directory(self.now)
        teams = [
            {"team_id": t, "name": f"Name of {t}", "personal_data": self.teams[t]}
            for t in self.teams
        ]
        for name, rows in {"teams": teams, **entries}.items():
            put(http, name, *rows)
        if not empty:
            self.events = insert_usage(self.client, self.tenant, _uses(self.now))
            for raw, detail in _letters():
                insert_letters(self.client, self.tenant, [raw], last_at=self.now, detail=detail)
        return self

    def http(self, url: str, *, scopes=("admin",), teams=()) -> httpx.Client:
        """A client with a key of its own."""
        _, key = create_key(
            self.client, tenant=self.tenant, scopes=scopes, teams=teams, now=self.now
        )
        headers = {"Authorization": f"Bearer {key}"}
        client = httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False)
        self.clients.append(client)
        # The page takes its session; where there is a key in the headers, /v1 does not look at it.
        client.post("/sign-in", data={"key": key})
        return client

    def close(self) -> None:
        """Close its clients."""
        for client in self.clients:
            client.close()

    def switch(self, url: str, team: str, *, on: bool) -> None:
        """Turn a team's personal data on or off."""
        put(self.http(url, scopes=("manage",)), "teams", {"team_id": team, "personal_data": on})

    def hash_of(self, user_id: str) -> str:
        """What stands for the user while names are hidden."""
        return hashed_user_id(tenant_secret(self.client, self.tenant), user_id)


def address(user: str) -> str:
    """A user in a path."""
    return quote(user, safe="")


def _directory(now: datetime) -> dict[str, list[dict]]:
    day = f"{now - timedelta(days=200):%Y-%m-%d}"
    later = f"{now + timedelta(days=200):%Y-%m-%d}"
    members = [(person.user_id, team) for person in PEOPLE for team in person.teams]
    names = ("user_id", "first_name", "last_name", "email")
    price = {"annual_price": "2985", "tokens_per_day": "10", "token_price": "3", "currency": "EUR"}
    bundle = {"kind": "collection", "members": ["product-used"]}
    time = {"starts_on": day, "ends_on": later}
    return {
        "users": [dict(zip(names, person.data, strict=True)) for person in PEOPLE],
        "team_members": [{"team_id": team, "user_id": user} for user, team in members],
        "products": [{"product_id": "product-used"}, {"product_id": "product-bundle", **bundle}],
        "subscriptions": [
            {"subscription_id": f"s-{t}", "team_id": t, "product_id": p, "seats": 2, **time}
            for t in (FIRST, SECOND)
            for p in PRODUCTS[:1]
        ],
        "token_packs": [{"pack_id": "pack", "tokens": "100", "purchased_on": day, **time}],
        "prices": [{"product_id": "product-used", "valid_from": day, **price}],
        "assignments": [
            {
                "user_id": user,
                "team_id": team,
                "product_id": PRODUCTS[number % len(PRODUCTS)],
                "at": f"{day}T08:00:00Z",
                "assignment": "group" if number % 4 == 3 else "direct",
                "group": "a group" if number % 4 == 3 else None,
                "assigned": True,
            }
            for number, (user, team) in enumerate([*members, (STRANGER, FIRST)])
        ],
    }


def _letters() -> list[tuple[bytes, str]]:
    """Refused events of everybody, the stranger included: as JSON, and as bytes that are no text.

    Their details name somebody as well, which ours never do.
    """
    refused = []
    for person in (*PEOPLE, Person(STRANGER, "", "", "", (SECOND,))):
        sent = {"subject": person.user_id, "data": {"team_id": person.teams[0], "x": person.data}}
        text = orjson.dumps(sent)
        refused += [(raw, f"of {person.user_id}") for raw in (text, b"\xff" + text)]
    return refused


def _uses(now: datetime) -> list:
    """A launch and some tokens of each user in each of his teams, and of the stranger."""
    places = [(person.user_id, team) for person in PEOPLE for team in person.teams]
    return [
        event(user_id=user, team_id=team, product_id="product-used", time=at, **kind)
        for number, (user, team) in enumerate([*places, (STRANGER, SECOND)])
        for at in [(now - timedelta(days=3 + number)).replace(microsecond=0)]
        for kind in ({}, {"access": "flex", "tokens": Decimal("1.5")})
    ]
