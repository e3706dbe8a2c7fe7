"""How the privacy walk calls every route: with every grain, filter, sort, format, and mistake.

A new route is added to CALLS, with requests that make it show all it could.

Next: tests.contract.privacy.test_privacy_walk
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from query_service.columns import GRAINS
from schemas.directory import ENTITIES
from tests.support.privacy_pages import calls_of_pages
from tests.support.private_tenant import (
    FIRST,
    NOWHERE,
    PEOPLE,
    PRODUCTS,
    SECOND,
    Person,
    PrivateTenant,
    address,
)

Items = list[tuple[str, str]]
ANNA = PEOPLE[0]
PERSONAL = ("user_id", "first_name", "last_name", "email")


@dataclass(frozen=True)
class Call:
    """A request. `refused`: it asks for what a hidden view must not tell, and gets a 400."""

    method: str
    path: str
    items: Items = field(default_factory=list)
    json: Any = None
    body: bytes | None = None
    refused: bool = False
    # What the answer is there to tell.
    tells: str = ""

    @property
    def said(self) -> str:
        """All that the caller says, and may hear again."""
        return f"{self.path} {self.items} {self.json} {self.body} {self.tells}"


@dataclass(frozen=True)
class Setting:
    """One view of one tenant: who asks, for which teams, and whether names show."""

    name: str
    company: PrivateTenant
    http: httpx.Client
    hidden: bool
    teams: tuple[str, ...] = ()
    limited: tuple[str, ...] = ()
    # Whether the caller's key is another tenant's.
    foreign: bool = False

    @property
    def view(self) -> Items:
        """The teams that are asked for."""
        return [("team", team) for team in self.teams]

    def named(self, person: Person) -> str:
        """How a caller of this view names somebody."""
        return self.company.hash_of(person.user_id) if self.hidden else person.user_id

    def misnamed(self, person: Person) -> str:
        """How the other kind of view does."""
        return person.user_id if self.hidden else self.company.hash_of(person.user_id)


def _rows(path: str) -> Callable[[Setting], Iterator[Call]]:
    """A route with the filters of rows."""

    def calls(setting: Setting) -> Iterator[Call]:
        view = setting.view
        yield Call("GET", path, [*view, ("preset", "12m")])
        yield Call("GET", path, [*view, ("user", setting.named(ANNA)), ("access", "flex")])
        yield Call("GET", path, [*view, ("user", setting.misnamed(ANNA))])
        yield Call("GET", path, [*view, ("q", ANNA.last_name)], refused=True)
        for data in (ANNA.user_id, ANNA.email):
            wrong = [(name, data) for name in ("preset", "nonsense", "activity", "as_of")]
            yield Call("GET", path, [*view, *wrong, (data, "1")])

    return calls


def _report(path: str) -> Callable[[Setting], Iterator[Call]]:
    """A report or an export: grains and sorts as well."""

    def calls(setting: Setting) -> Iterator[Call]:
        yield from _rows(path)(setting)
        few = [*setting.view, ("limit", "4")]
        yield Call("GET", path, [*few, ("sort", "user"), ("columns", "user_id,last_name,email")])
        for by in GRAINS if path == "/v1/report" else ("user",):
            yield Call("GET", path, [*few, ("by", by)])
        for name in PERSONAL if setting.hidden else ():
            yield Call("GET", path, [*few, ("sort", f"-{name}")], refused=True)
        yield Call("GET", path, [*few, ("sort", ANNA.email), ("columns", ANNA.last_name)])

    return calls


def _daily(setting: Setting) -> Iterator[Call]:
    yield from _rows("/v1/daily")(setting)
    yield Call("GET", "/v1/daily", [*setting.view, ("group_by", "user")])
    yield Call("GET", "/v1/daily", [*setting.view, ("group_by", ANNA.last_name)])


def _tokens(setting: Setting) -> Iterator[Call]:
    yield Call("GET", "/v1/tokens", setting.view)
    yield Call("GET", "/v1/tokens", [*setting.view, ("user", ANNA.user_id)])
    yield Call("GET", "/v1/tokens", [*setting.view, ("as_of", ANNA.email)])


def _detail(setting: Setting) -> Iterator[Call]:
    for person in PEOPLE[:4]:
        yield Call("GET", f"/v1/users/{address(setting.named(person))}", setting.view)
    for user in (setting.misnamed(ANNA), "nobody", ANNA.last_name):
        yield Call("GET", f"/v1/users/{address(user)}", setting.view)
    path = f"/v1/users/{address(setting.named(ANNA))}"
    yield Call("GET", path, [*setting.view, ("selected", PRODUCTS[0])])
    yield Call("GET", path, [*setting.view, ("q", ANNA.last_name)], refused=True)
    yield Call("GET", path, [*setting.view, ("preset", ANNA.first_name)])


def _events(setting: Setting) -> Iterator[Call]:
    yield Call("GET", "/v1/events", [("limit", "8")])
    for user in (setting.named(ANNA), setting.misnamed(ANNA)):
        yield Call("GET", "/v1/events", [("user", user)])
    yield Call("GET", "/v1/events", [("from", ANNA.email), ("cursor", ANNA.last_name)])


def _letters(_: Setting) -> Iterator[Call]:
    path = "/v1/dead-letters"
    yield Call("GET", path)
    yield Call("GET", path, [("limit", "3"), ("replayed", "false"), ("reason", "unknown_type")])
    yield Call("GET", path, [("user", ANNA.user_id), ("reason", ANNA.email)])
    yield Call("GET", path, [("from", ANNA.email), ("cursor", ANNA.last_name)])


def _trace(setting: Setting) -> Iterator[Call]:
    for event_id in (setting.company.events[0], setting.company.events[-1]):
        identity = [("source", "sample"), ("id", event_id)]
        yield Call("GET", "/v1/events/trace", identity)
        for user in (setting.named(ANNA), setting.misnamed(ANNA)):
            yield Call("GET", "/v1/events/trace", [*identity, ("user", user)])
    yield Call("GET", "/v1/events/trace", [("source", ANNA.email), ("id", ANNA.user_id)])
    yield Call("GET", "/v1/events/trace", [("id", ANNA.user_id)])


def _lists(setting: Setting) -> Iterator[Call]:
    for entity in ENTITIES:
        path = f"/v1/directory/{entity}"
        yield Call("GET", path, [("limit", "5")])
        yield Call("GET", path, [("cursor", ANNA.email), ("team", ANNA.last_name)])
        if "user_id" in ENTITIES[entity].ids:
            yield Call("GET", path, [("user", setting.named(ANNA))])
            yield Call("GET", path, [("user", setting.misnamed(ANNA))])
    yield Call("GET", f"/v1/directory/{address(ANNA.last_name)}")


def _puts(_: Setting) -> Iterator[Call]:
    """Entries that change nothing, and entries that are wrong."""
    known = {"team_id": ANNA.teams[0], "user_id": ANNA.user_id}
    yield Call("PUT", "/v1/directory/team_members", json=[known])
    yield Call("PUT", "/v1/directory/users", json=[{"user_id": ANNA.user_id}])
    for entity in ENTITIES:
        wrong = [{**known, "email": "\n"}, {"user_id": [ANNA.user_id]}, {ANNA.last_name: 1}, 7]
        yield Call("PUT", f"/v1/directory/{entity}", json=wrong)
    yield Call("PUT", "/v1/directory/users", body=f'{{"{ANNA.last_name}'.encode())
    yield Call("PUT", "/v1/directory/users", [("user", ANNA.email)], json=[known])


def _seats(deed: str) -> Callable[[Setting], Iterator[Call]]:
    """Assign, unassign, move to flex: as the view names people, otherwise, and wrongly."""
    path = f"/v1/{deed}"

    def calls(setting: Setting) -> Iterator[Call]:
        right, wrong = (_seat_items(setting, name) for name in (setting.named, setting.misnamed))
        # Only dry where it would change whom the tenant knows.
        dry = setting.foreign or NOWHERE in setting.limited
        yield Call(
            "POST", path, json={"items": right, "request_id": _id(deed, setting)} | _dry(dry)
        )
        yield Call("POST", path, json={"items": right, **_dry()})
        yield Call("POST", path, json={"items": wrong, **_dry()}, refused=True)
        both = [{**one, **other} for one, other in zip(right, wrong, strict=True)]
        yield Call("POST", path, json={"items": both, **_dry()})
        for chosen in ({}, {"q": ANNA.last_name}, {"user": [ANNA.user_id]}, {ANNA.email: "1"}):
            body = {"filter": chosen, "expected_users": 99, **_dry()}
            yield Call("POST", path, json=body)
        yield Call("POST", path, json={ANNA.last_name: ANNA.email, "items": ANNA.user_id})

    return calls


def _seat_items(setting: Setting, name: Callable[[Person], str]) -> list[dict[str, str]]:
    """A seat of somebody in each team of the view."""
    items = []
    for team in setting.limited or setting.teams or (FIRST, SECOND):
        person = next((each for each in PEOPLE if team in each.teams), ANNA)
        field_name = "user_id" if name(person) == person.user_id else "hashed_user_id"
        items.append({"product_id": "product-new", "team_id": team, field_name: name(person)})
    return items


def _dry(really: bool = True) -> dict[str, bool]:
    return {"dry_run": really}


def _id(deed: str, setting: Setting) -> str:
    return f"walk {deed} {setting.name}"


def _undo(setting: Setting) -> Iterator[Call]:
    for request_id in (_id("assign", setting), ANNA.user_id):
        yield Call("POST", f"/v1/changes/{address(request_id)}/undo")


def _feed(setting: Setting) -> Iterator[Call]:
    yield Call("GET", "/v1/seat-changes")
    yield Call("GET", "/v1/seat-changes", [("limit", "3")])
    yield Call("GET", "/v1/seat-changes", [("after", ANNA.email)])
    yield Call("GET", "/v1/seat-changes", [("user", setting.named(ANNA))])


def _days(path: str) -> Callable[[Setting], Iterator[Call]]:
    def calls(_: Setting) -> Iterator[Call]:
        yield Call("GET", path)
        yield Call("GET", path, [("from", ANNA.email), ("user", ANNA.user_id)])

    return calls


def _hash(setting: Setting) -> Iterator[Call]:
    hashed = setting.company.hash_of(ANNA.user_id)
    yield Call("POST", "/v1/hash", json={"user": ANNA.user_id}, tells=hashed)
    yield Call("POST", "/v1/hash", json={"user": [ANNA.user_id], ANNA.last_name: 1})


def _new_keys(setting: Setting) -> Iterator[Call]:
    scopes = {"scopes": ["read"], "teams": list(setting.limited)}
    yield Call("POST", "/v1/keys", json=scopes)
    yield Call("POST", "/v1/keys", json={"scopes": [ANNA.last_name], "teams": ANNA.email})


def _no_keys(setting: Setting) -> Iterator[Call]:
    scopes = {"scopes": ["read"], "teams": list(setting.limited)}
    key_id = setting.http.post("/v1/keys", json=scopes).json()["key_id"]
    yield Call("DELETE", f"/v1/keys/{key_id}")
    yield Call("DELETE", f"/v1/keys/{address(ANNA.user_id)}")


def _plain(path: str) -> Callable[[Setting], Iterable[Call]]:
    return lambda _: [
        Call("GET", path),
        Call("GET", path, [("user", ANNA.user_id)]),
        Call("POST", path, [("user", ANNA.user_id)]),
        Call("GET", f"{path}/{address(ANNA.last_name)}"),
    ]


EXPORTS = ("csv", "xlsx", "json", "ndjson", "parquet")
CALLS: dict[tuple[str, str], Callable[[Setting], Iterable[Call]]] = {
    **{("GET", path): _plain(path) for path in ("/health/live", "/health/ready", "/metrics")},
    **{("GET", path): _plain(path) for path in ("/openapi.json", "/docs")},
    ("GET", "/v1/report"): _report("/v1/report"),
    **{("GET", f"/v1/report.{kind}"): _report(f"/v1/report.{kind}") for kind in EXPORTS},
    ("GET", "/v1/daily"): _daily,
    ("GET", "/v1/snapshot"): _rows("/v1/snapshot"),
    ("GET", "/v1/options"): _rows("/v1/options"),
    ("GET", "/v1/tokens"): _tokens,
    ("GET", "/v1/users/{user:path}"): _detail,
    ("GET", "/v1/events"): _events,
    ("GET", "/v1/events/trace"): _trace,
    ("GET", "/v1/dead-letters"): _letters,
    ("GET", "/v1/audit"): _days("/v1/audit"),
    ("GET", "/v1/directory/{entity}"): _lists,
    ("PUT", "/v1/directory/{entity}"): _puts,
    ("GET", "/v1/ledger"): _days("/v1/ledger"),
    ("GET", "/v1/verify"): _days("/v1/verify"),
    ("POST", "/v1/hash"): _hash,
    ("POST", "/v1/keys"): _new_keys,
    ("GET", "/v1/keys"): _plain("/v1/keys"),
    ("DELETE", "/v1/keys/{key_id}"): _no_keys,
    **{("POST", f"/v1/{deed}"): _seats(deed) for deed in ("assign", "unassign", "move-to-flex")},
    ("POST", "/v1/changes/{request_id:path}/undo"): _undo,
    ("GET", "/v1/seat-changes"): _feed,
    **calls_of_pages(Call),
}
