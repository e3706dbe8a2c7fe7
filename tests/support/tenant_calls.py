"""How one tenant asks for what is another's: each parameter and field of each route, one by one.

A new route is added to CALLS; a new parameter or field that can hold an id is added to IDS.

Next: tests.contract.tenants.test_tenant_isolation
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from schemas.directory import ENTITIES
from tests.support.directory import entry
from tests.support.two_tenants import OWN

Items = list[tuple[str, str]]
EXPORTS = ("csv", "xlsx", "json", "ndjson", "parquet")


@dataclass(frozen=True)
class Alien:
    """What the victim calls its own, or what nobody calls so: the two must look alike."""

    ids: str
    hashed: str
    event: str
    letter: str
    key_id: str
    tenant: str
    names: str

    def said(self, name: str) -> list[str]:
        """Values for a parameter or field of this name; KeyError for one that nobody thought of."""
        return [form.format(**vars(self)) for form in IDS[name]]


@dataclass(frozen=True)
class Call:
    """A request with a key, or as a form of the page."""

    method: str
    path: str
    items: Items = field(default_factory=list)
    json: Any = None
    form: Items | None = None
    # Of the page: asked with its session.
    page: bool = False


IDS = {
    "team": ["{ids}-team"],
    "product": ["{ids}-product"],
    "user": ["{ids}-user", "{hashed}"],
    "group": ["{names}-group"],
    "version": ["{names}-version"],
    "q": ["{names}"],
    "selected": ["{ids}-product"],
    "id": ["{event}"],
    "source": ["{tenant}"],
    "request": ["{ids}-request", "undo:{ids}-request"],
    "request_id": ["{ids}-request", "undo:{ids}-request"],
    "key_id": ["{key_id}"],
    "user_id": ["{ids}-user"],
    "hashed_user_id": ["{hashed}"],
    "product_id": ["{ids}-product"],
    "team_id": ["{ids}-team"],
    "teams": ["{ids}-team"],
    "subscription_id": ["{ids}-subscription"],
    "pack_id": ["{ids}-pack"],
    "members": ["{ids}-product"],
    # What is not an id, and might still be looked up as one.
    "first_name": ["{names}-first"],
    "last_name": ["{names}-last"],
    "email": ["{names}@people.example"],
    "name": ["{names} Team"],
    "back": ["/users/{ids}-user?team={ids}-team"],
    "next": ["/users/{ids}-user"],
}
# Taken from the victim's own answers by the test: `next_cursor`, and `next` of the feed.
PLACES = {"cursor", "after"}
# Words of ours, numbers, times, flags: nothing of them is anybody's.
NOT_IDS = {
    *("preset", "from", "to", "as_of", "access", "activity", "seat", "assignment", "frequency"),
    *("recommendation", "days_used_min", "days_used_max", "tokens_min", "tokens_max", "by", "sort"),
    *("columns", "limit", "bom", "interval", "group_by", "day", "reason", "replayed", "deleted"),
    *("scopes", "dry_run", "expected_users", "personal_data", "kind", "seats", "starts_on"),
    *("ends_on", "tokens", "purchased_on", "valid_from", "annual_price", "tokens_per_day"),
    *("token_price", "currency", "at", "assigned", "action", "result"),
    # The parts of these are fields themselves, or words.
    *("items", "filter", "entity"),
}
# What the pages read from their address: no document tells of it.
_ROWS = ("team", "product", "user", "group", "version", "q")
PAGE_PARAMETERS = {
    "/": (*_ROWS, "cursor", "back"),
    "/users/{user:path}": ("team", "product", "group", "version", "q", "selected", "back"),
    "/tokens": ("team",),
    "/events": ("user", "product", "cursor"),
    "/seats/done": ("request", "back"),
    "/settings/{name}": ("cursor",),
    "/sign-in": ("next",),
}


def _nothing(_: Alien) -> Iterator[Call]:
    """Parameters alone, which the test takes from the document."""
    yield from ()


def _user(path: str, **more: Any) -> Callable[[Alien], Iterator[Call]]:
    return lambda alien: (Call("GET", f"{path}{user}", **more) for user in alien.said("user"))


def _seats(deed: str) -> Callable[[Alien], Iterator[Call]]:
    """Each part of a seat in the other tenant's words, then all of them; and by filter."""

    def calls(alien: Alien) -> Iterator[Call]:
        own = {name: f"{OWN}-{name.split('_')[0]}" for name in ("user_id", "product_id", "team_id")}
        other = {name: alien.said(name)[0] for name in own}
        seats = [{**own, name: value} for name, value in other.items()]
        hashed = {**own, "hashed_user_id": alien.hashed}
        del hashed["user_id"]
        for number, seat in enumerate([*seats, other, hashed, {**own, "team_id": ""}]):
            for dry in (True, False):
                ids = f"{OWN} {deed} {number} {alien.ids}"
                body = {"items": [seat], "dry_run": dry, "request_id": ids}
                yield Call("POST", f"/v1/{deed}", json=body)
        for request_id in alien.said("request_id"):
            body = {"items": [{**own, "product_id": f"{OWN}-{deed}"}], "request_id": request_id}
            yield Call("POST", f"/v1/{deed}", json=body)
        for name in _ROWS:
            for value in alien.said(name):
                chosen = {"filter": {name: [value]}, "expected_users": 0, "request_id": f"f{value}"}
                yield Call("POST", f"/v1/{deed}", json=chosen)
        tenant = {"items": [own], "tenant": alien.tenant, "dry_run": True}
        yield Call("POST", f"/v1/{deed}", json=tenant)

    return calls


def _undo(alien: Alien) -> Iterator[Call]:
    for request_id in alien.said("request_id"):
        yield Call("POST", f"/v1/changes/{request_id}/undo")


def _puts(alien: Alien) -> Iterator[Call]:
    """Entries that name what is another's, each field by itself; and the tenant itself."""
    for name, entity in ENTITIES.items():
        for each in entity.fields:
            if each in NOT_IDS:
                continue
            value = alien.said(each)[0]
            changed = {each: [value] if each == "members" else value}
            if each == "members":
                changed["kind"] = "collection"
            if each == "group":
                changed["assignment"] = "group"
            yield Call("PUT", f"/v1/directory/{name}", json=[entry(name, **changed)])
        gone = {each: alien.said(each)[0] for each in entity.ids if each not in NOT_IDS}
        whole = {each: entry(name)[each] for each in entity.ids} | gone
        yield Call("PUT", f"/v1/directory/{name}", json=[{**whole, "deleted": True}])
        yield Call("PUT", f"/v1/directory/{name}", json=[entry(name, tenant=alien.tenant)])


def _lists(_: Alien) -> Iterator[Call]:
    for name in ENTITIES:
        yield Call("GET", f"/v1/directory/{name}", [("limit", "1000")])


def _new_keys(alien: Alien) -> Iterator[Call]:
    yield Call("POST", "/v1/keys", json={"scopes": ["read"], "teams": alien.said("team")})
    yield Call("POST", "/v1/keys", json={"scopes": ["read"], "tenant": alien.tenant})


def _no_keys(alien: Alien) -> Iterator[Call]:
    yield Call("DELETE", f"/v1/keys/{alien.key_id}")


def _hash(alien: Alien) -> Iterator[Call]:
    yield Call("POST", "/v1/hash", json={"user": alien.said("user")[0], "tenant": alien.tenant})


def _form(path: str, *fields: tuple[str, str]) -> Call:
    return Call("POST", path, form=list(fields), page=True)


def _ticked(path: str) -> Callable[[Alien], Iterator[Call]]:
    """A seat of the victim's, its request id, and its list."""

    def calls(alien: Alien) -> Iterator[Call]:
        names = ("user_id", "product_id", "team_id")
        seat = json.dumps({name: alien.said(name)[0] for name in names})
        for request_id in (*alien.said("request_id"), f"form {alien.ids}"):
            ticked = [("kind", "unassign"), ("seat", seat), ("request_id", request_id)]
            yield _form(path, *ticked, ("back", f"/?team={alien.ids}-team"))
        every = [("kind", "unassign"), ("all", "1"), ("users", "0")]
        yield _form(
            path, *every, ("back", f"/?team={alien.ids}-team"), ("request_id", f"all {alien.ids}")
        )

    return calls


def _of_request(path: str) -> Callable[[Alien], Iterator[Call]]:
    return lambda alien: (_form(path, ("request_id", each)) for each in alien.said("request_id"))


def _revoke(alien: Alien) -> Iterator[Call]:
    yield _form("/settings/keys/revoke", ("key_id", alien.key_id), ("sure", "1"))


def _new_key(alien: Alien) -> Iterator[Call]:
    once = [("scope", "read"), ("once", alien.ids), ("tenant", alien.tenant)]
    yield _form("/settings/keys", *once, ("teams", alien.said("team")[0]))


def _sections(_: Alien) -> Iterator[Call]:
    for name in ("teams", "subscriptions", "token_packs", "prices"):
        yield Call("GET", f"/settings/{name}", page=True)


def _entries(suffix: str) -> Callable[[Alien], Iterator[Call]]:
    """An entry of each section under the victim's id, as it is and taken away."""
    named = {"teams": "team_id", "subscriptions": "subscription_id", "token_packs": "pack_id"}

    def calls(alien: Alien) -> Iterator[Call]:
        for section, name in {**named, "prices": "product_id"}.items():
            given = {**entry(section), name: alien.said(name)[0]}
            fields = [(each, str(value)) for each, value in given.items() if value is not None]
            yield _form(f"/settings/{section}{suffix}", *fields)
            yield _form(f"/settings/{section}{suffix}", *fields, ("deleted", "1"))

    return calls


def _page(path: str) -> Callable[[Alien], Iterator[Call]]:
    return lambda _: iter([Call("GET", path, page=True)])


def _sign_in(alien: Alien) -> Iterator[Call]:
    yield Call("POST", "/sign-in", form=[("key", f"ur_{alien.key_id}_secret")], page=True)


CALLS: dict[tuple[str, str], Callable[[Alien], Iterator[Call]]] = {
    **{
        ("GET", path): _nothing
        for path in (
            *("/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs"),
            *("/v1/report", *(f"/v1/report.{kind}" for kind in EXPORTS), "/v1/daily"),
            *("/v1/snapshot", "/v1/options", "/v1/tokens", "/v1/events", "/v1/events/trace"),
            *(
                "/v1/audit",
                "/v1/dead-letters",
                "/v1/ledger",
                "/v1/verify",
                "/v1/keys",
                "/v1/seat-changes",
            ),
            "/static/{name}",
        )
    },
    ("GET", "/v1/users/{user:path}"): _user("/v1/users/"),
    ("GET", "/v1/directory/{entity}"): _lists,
    ("PUT", "/v1/directory/{entity}"): _puts,
    ("POST", "/v1/hash"): _hash,
    ("POST", "/v1/keys"): _new_keys,
    ("DELETE", "/v1/keys/{key_id}"): _no_keys,
    **{("POST", f"/v1/{deed}"): _seats(deed) for deed in ("assign", "unassign", "move-to-flex")},
    ("POST", "/v1/changes/{request_id:path}/undo"): _undo,
    **{("GET", path): _page(path) for path in ("/", "/tokens", "/events", "/sign-in")},
    **{("GET", path): _page(path) for path in ("/settings", "/settings/keys", "/seats/done")},
    ("GET", "/users/{user:path}"): _user("/users/", page=True),
    ("GET", "/settings/{name}"): _sections,
    ("POST", "/columns"): lambda alien: iter(
        [_form("/columns", ("by", "user"), ("column", "user_id"), ("back", f"/?q={alien.names}"))]
    ),
    ("POST", "/seats"): _ticked("/seats"),
    ("POST", "/seats/change"): _ticked("/seats/change"),
    ("POST", "/seats/undo"): _of_request("/seats/undo"),
    ("POST", "/seats/finish"): _of_request("/seats/finish"),
    ("POST", "/settings/keys"): _new_key,
    ("POST", "/settings/keys/revoke"): _revoke,
    ("POST", "/settings/{name}"): _entries(""),
    ("POST", "/settings/{name}/save"): _entries("/save"),
    ("POST", "/sign-in"): _sign_in,
    # Of who is signed in alone; whose session it is, test_sessions_stay_apart tries.
    ("POST", "/sign-out"): _nothing,
}
