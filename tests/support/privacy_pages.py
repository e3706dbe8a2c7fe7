"""How the privacy walk visits the page: every address and every form, signed in as each key is.

Next: tests.support.privacy_calls
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import uuid4

from tests.support.private_tenant import FIRST, PEOPLE, PRODUCTS, SECOND, address

if TYPE_CHECKING:
    from tests.support.privacy_calls import Call, Setting

ANNA = PEOPLE[0]
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')


def calls_of_pages(call: type[Call]) -> dict[tuple[str, str], Callable[[Setting], Iterable[Call]]]:
    """Requests of each route of the page; `call` makes one."""
    pages = Pages(call)
    return {
        ("GET", "/"): pages.report,
        ("POST", "/columns"): pages.columns,
        ("GET", "/users/{user:path}"): pages.user,
        ("GET", "/tokens"): pages.seen("/tokens"),
        ("GET", "/events"): pages.events,
        ("GET", "/static/{name}"): pages.seen("/static/page.css"),
        ("POST", "/seats"): pages.seats("/seats"),
        ("POST", "/seats/change"): pages.seats("/seats/change"),
        ("POST", "/seats/undo"): pages.undo,
        ("POST", "/seats/finish"): pages.finish,
        ("GET", "/seats/done"): pages.done,
        ("GET", "/settings"): pages.seen("/settings"),
        ("GET", "/settings/keys"): pages.seen("/settings/keys"),
        ("POST", "/settings/keys"): pages.new_key,
        ("POST", "/settings/keys/revoke"): pages.revoke,
        ("GET", "/settings/{name}"): pages.section,
        ("POST", "/settings/{name}"): pages.entry(""),
        ("POST", "/settings/{name}/save"): pages.entry("/save"),
        ("GET", "/sign-in"): pages.seen("/sign-in"),
        ("POST", "/sign-in"): pages.sign_in,
        ("POST", "/sign-out"): pages.sign_out,
    }


class Pages:
    """Visits, in the order that a test makes them."""

    def __init__(self, call: type[Call]) -> None:
        self._call = call

    def _form(self, setting: Setting, path: str, fields: list[tuple[str, str]]) -> Call:
        """A form of the session that the client is signed in with."""
        found = _CSRF.search(setting.http.get("/settings/keys").text)
        csrf = [("csrf", found[1])] if found else []
        return self._call("POST", path, body=urlencode([*csrf, *fields]).encode())

    def report(self, setting: Setting) -> Iterator[Call]:
        """Every grain, filter and chart, and what is wrong."""
        view = [*setting.view, ("preset", "12m")]
        yield self._call("GET", "/", view)
        for by in ("user", "product", "team"):
            yield self._call("GET", "/", [*view, ("by", by), ("group_by", "team")])
        yield self._call("GET", "/", [*view, ("user", setting.named(ANNA)), ("limit", "3")])
        yield self._call("GET", "/", [*view, ("user", setting.misnamed(ANNA))])
        yield self._call("GET", "/", [*view, ("q", ANNA.last_name)])
        yield self._call("GET", "/", [*view, ("sort", "-email"), (ANNA.email, "1")])

    def columns(self, setting: Setting) -> Iterator[Call]:
        """Remembered in the browser."""
        yield self._form(setting, "/columns", [("by", "user"), ("column", ANNA.email)])

    def user(self, setting: Setting) -> Iterator[Call]:
        """Each as the view names people, and otherwise."""
        for person in PEOPLE[:3]:
            yield self._call("GET", f"/users/{address(setting.named(person))}", setting.view)
        path = f"/users/{address(setting.named(ANNA))}"
        yield self._call("GET", path, [*setting.view, ("selected", PRODUCTS[0]), ("back", "/x")])
        yield self._call("GET", f"/users/{address(setting.misnamed(ANNA))}", setting.view)

    def events(self, setting: Setting) -> Iterator[Call]:
        """As `/v1/events`."""
        yield self._call("GET", "/events", [("limit", "8")])
        yield self._call("GET", "/events", [("user", setting.named(ANNA))])

    def seen(self, path: str) -> Callable[[Setting], Iterable[Call]]:
        """A page that knows nobody."""
        return lambda setting: [
            self._call("GET", path, setting.view if path == "/tokens" else []),
            self._call("GET", path, [("user", ANNA.user_id), ("next", f"/{ANNA.last_name}")]),
        ]

    def seats(self, path: str) -> Callable[[Setting], Iterator[Call]]:
        """Seats that nobody has: looked at, changed, and named in the wrong way."""

        def calls(setting: Setting) -> Iterator[Call]:
            yield self._form(setting, path, _ticked(setting, setting.named))
            yield self._form(setting, path, _ticked(setting, setting.misnamed))
            every = [("kind", "unassign"), ("all", "1"), ("back", "/?preset=12m"), ("users", "1")]
            if path == "/seats":
                yield self._form(setting, path, every)
            yield self._call("POST", path, body=urlencode([("seat", ANNA.email)]).encode())

        return calls

    def done(self, setting: Setting) -> Iterator[Call]:
        """What became of a change that a form made."""
        ticked = _ticked(setting, setting.named)
        made = self._form(setting, "/seats/change", ticked)
        setting.http.post(made.path, content=made.body)
        # It says again whom the form itself named.
        told = self._call("GET", "/seats/done", [("request", _request(setting))])
        yield replace(told, tells=str(ticked))
        yield self._call("GET", "/seats/done", [("request", ANNA.email)])

    def undo(self, setting: Setting) -> Iterator[Call]:
        """Of the same."""
        yield self._form(setting, "/seats/undo", [("request_id", _request(setting))])
        yield self._form(setting, "/seats/undo", [("request_id", ANNA.email)])

    def finish(self, setting: Setting) -> Iterator[Call]:
        """Of one that is finished, and of none."""
        yield self._form(setting, "/seats/finish", [("request_id", _request(setting))])
        yield self._form(setting, "/seats/finish", [("request_id", ANNA.email)])

    def new_key(self, setting: Setting) -> Iterator[Call]:
        """A key that may read, and the same form again."""
        teams = ("teams", ",".join(setting.limited))
        once = ("once", uuid4().hex)
        for _ in range(2):
            yield self._form(setting, "/settings/keys", [("scope", "read"), teams, once])

    def revoke(self, setting: Setting) -> Iterator[Call]:
        """Asked first; and a key that is not there."""
        path = "/settings/keys/revoke"
        yield self._form(setting, path, [("key_id", "0123")])
        yield self._form(setting, path, [("key_id", ANNA.email), ("sure", "1")])

    def section(self, _: Setting) -> Iterator[Call]:
        """Each list of settings."""
        for name in ("teams", "subscriptions", "token_packs", "prices"):
            yield self._call("GET", f"/settings/{name}")
        yield self._call("GET", f"/settings/{address(ANNA.last_name)}")

    def entry(self, suffix: str) -> Callable[[Setting], Iterator[Call]]:
        """A team that stays as it is not: it is refused, or only looked at."""

        def calls(setting: Setting) -> Iterator[Call]:
            path = f"/settings/token_packs{suffix}"
            yield self._form(setting, path, [("pack_id", ANNA.email), ("tokens", "many")])

        return calls

    def sign_in(self, setting: Setting) -> Iterator[Call]:
        """With the key of the setting, and with somebody's address."""
        key = setting.http.headers["Authorization"].removeprefix("Bearer ")
        yield self._call("POST", "/sign-in", body=urlencode({"key": key}).encode())
        yield self._call("POST", "/sign-in", body=urlencode({"key": ANNA.email}).encode())

    def sign_out(self, setting: Setting) -> Iterator[Call]:
        """Last of all."""
        yield self._form(setting, "/sign-out", [])
        yield self._call("POST", "/sign-out", body=b"")


def _request(setting: Setting) -> str:
    return f"walk page {setting.name}"


def _ticked(setting: Setting, name: Callable) -> list[tuple[str, str]]:
    """A seat of somebody in each team of the view, which nobody has."""
    fields = [("kind", "unassign"), ("back", "/"), ("request_id", _request(setting))]
    for team in setting.limited or setting.teams or (FIRST, SECOND):
        person = next((each for each in PEOPLE if team in each.teams), ANNA)
        kind = "user_id" if name(person) == person.user_id else "hashed_user_id"
        seat = {"product_id": "product-nobody-has", "team_id": team, kind: name(person)}
        fields.append(("seat", json.dumps(seat)))
    return fields
