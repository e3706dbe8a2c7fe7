"""One question put to every surface of the query service, each compared with the plain report.

Next: tests.contract.test_query_numbers
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.support import export_files
from tests.support.plain_report import answered, ordered, plain_report, totals
from tests.support.plain_series import plain_series
from tests.support.plain_tenant import Asked, Tenant, hidden_by
from tests.support.plain_tokens import plain_snapshot, plain_tokens
from tests.support.random_reports import Pairs

GRAINS = ("user_product", "user_product", "user", "product", "team")
_GROUPS = ("", "team", "product,access", "team,product,access")
_READERS: dict[str, Callable[[bytes], list[dict[str, Any]]]] = {
    "csv": export_files.of_csv,
    "ndjson": export_files.of_ndjson,
}


class Surfaces:
    """Asks with `http` about a tenant, and asserts what must come back."""

    def __init__(self, rng: random.Random, http: httpx.Client, tenant: Tenant) -> None:
        self._rng, self._http, self._tenant = rng, http, tenant

    def _get(self, path: str, pairs: Pairs) -> httpx.Response:
        answer = self._http.get(f"/v1/{path}?{urlencode(pairs)}")
        assert answer.status_code == 200, answer.text
        return answer

    def _sees(self, body: dict[str, Any], asked: Asked) -> None:
        hiding = hidden_by(self._tenant, asked.chosen.get("team_id", ()), asked.teams)
        assert body["hidden_by"] == hiding
        assert body["personal_data"] == ("shown" if asked.shown else "hashed")

    def report(self, pairs: Pairs, asked: Asked, sort: Callable[..., list[str]]) -> int:
        """Page by page: rows, their order, totals; or as a file. The number of rows."""
        by = self._rng.choice(GRAINS)
        order = sort(by, shown=asked.shown)
        question: Pairs = [*pairs, ("by", by), ("sort", ",".join(order))]
        found = ordered(plain_report(self._tenant, asked, by), order, by, shown=asked.shown)
        expected = [answered(row, by, shown=asked.shown) for row in found]
        rows, bodies = self._pages(
            question, max(1, len(found) // 2, self._rng.choice([7, *[1000] * 5]))
        )
        same(rows, expected, question)
        for body in bodies:
            same(body["totals"], totals(found), question)
            self._sees(body, asked)
        kind = self._rng.choice([*_READERS, *[None] * 4])
        if kind:
            same(_READERS[kind](self._get(f"report.{kind}", question).content), expected, kind)
        return len(rows)

    def _pages(self, question: Pairs, limit: int) -> tuple[list[Any], list[Any]]:
        rows, bodies, place = [], [], []
        while True:
            body = self._get("report", [*question, ("limit", limit), *place]).json()
            rows += body["rows"]
            bodies.append(body)
            if body["next_cursor"] is None:
                return rows, bodies
            assert len(body["rows"]) == limit
            place = [("cursor", body["next_cursor"])]

    def daily(self, pairs: Pairs, asked: Asked) -> None:
        """The series, whatever its interval and groups."""
        interval = self._rng.choice(["day", "week", "month"])
        groups = self._rng.choice(_GROUPS)
        grouped = [("group_by", groups)] if groups else []
        body = self._get("daily", [*pairs, ("interval", interval), *grouped]).json()
        self._sees(body, asked)
        names = groups.split(",") if groups else []
        same(body["series"], plain_series(self._tenant, asked, interval, names), grouped)

    def snapshot(self, pairs: Pairs, asked: Asked) -> None:
        """The snapshot."""
        body = self._get("snapshot", pairs).json()
        assert body["personal_data"] == ("shown" if asked.shown else "hashed")
        _by_pack(body["flex"]["balance"])
        expected = plain_snapshot(self._tenant, asked)
        same({name: body[name] for name in expected}, expected, "")

    def tokens(self, pairs: Pairs, asked: Asked) -> None:
        """Packs, balance and burn-down."""
        names = {"team", "preset", "from", "to", "as_of"}
        body = self._get("tokens", [pair for pair in pairs if pair[0] in names]).json()
        self._sees(body, asked)
        _by_pack(body["balance"])
        body["packs"] = {pack["pack_id"]: pack for pack in body["packs"]}
        expected = plain_tokens(self._tenant, asked)
        same({name: body[name] for name in expected}, expected, "")

    def refusal(self, pairs: Pairs, asked: Asked) -> None:
        """What is hidden is neither searched nor sorted by."""
        wanted = self._rng.choice([("sort", "user,-email"), ("sort", "user_id"), ("q", "a")])
        path = self._rng.choice(["report", "report.csv"])
        question = dict.fromkeys([*(pair for pair in pairs if pair[0] != "q"), wanted])
        answer = self._http.get(f"/v1/{path}?{urlencode(list(question))}")
        if asked.shown:
            assert answer.status_code == 200, answer.text
        else:
            assert answer.status_code == 400, answer.text
            assert answer.json()["reason"] == "personal_data_hidden"


def _by_pack(balance: dict[str, Any]) -> None:
    """The order of packs that expire is not promised."""
    balance["expiring"] = {entry.pop("pack_id"): entry for entry in balance["expiring"]}


def same(found: Any, expected: Any, where: object) -> None:
    """Assert that they are equal, and name the places where they are not."""
    differences = list(_differences(found, expected, ""))
    assert not differences, f"{where}: " + "; ".join(differences[:12])


def _differences(found: Any, expected: Any, place: str) -> Iterator[str]:
    if isinstance(found, list) and isinstance(expected, list):
        if len(found) != len(expected):
            yield f"{place}: {len(found)} instead of {len(expected)}"
        for number, (one, other) in enumerate(zip(found, expected, strict=False)):
            yield from _differences(one, other, f"{place}[{number}]")
    elif isinstance(found, dict) and isinstance(expected, dict):
        for name in sorted(found.keys() | expected.keys()):
            yield from _differences(found.get(name), expected.get(name), f"{place}.{name}")
    elif found != expected:
        yield f"{place}: {found!r} instead of {expected!r}"
