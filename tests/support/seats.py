"""Seats of a tenant: put there as a directory would, changed over HTTP, told by the feed.

Next: query_service.seat_changes
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from clickhouse_connect.driver.client import Client

from tests.support.directory_rows import insert_entry
from tests.support.query_server import NOW, QueryServer

LATER = timedelta(hours=1)

_numbers = itertools.count(1)


def item(user: str = "user-1", **changed: Any) -> dict[str, Any]:
    """A seat as a request names it."""
    return {"user_id": user, "product_id": "product-1", "team_id": "team-1", **changed}


def new_id() -> str:
    """A request id that no other test has."""
    return f"request-{next(_numbers)}"


@dataclass
class Seats:
    """A tenant, and clients of one key of it at each of the services."""

    tenant: str
    secret: bytes
    servers: Sequence[QueryServer]
    https: Sequence[httpx.Client]
    store: Client

    def put(self, user: str = "user-1", day: str = "2026-01-01", **changed: Any) -> None:
        """A change that came with the directory."""
        at = datetime.fromisoformat(day).replace(tzinfo=UTC)
        insert_entry(self.store, self.tenant, "seat_changes", user_id=user, at=at, **changed)

    def send(self, kind: str, body: dict[str, Any], *, server: int = 0) -> httpx.Response:
        """The answer to a body."""
        return self.https[server].post(f"/v1/{kind}", json=body)

    def ask(self, kind: str, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
        """The answer to a request that is all good, with an id of its own."""
        body = {"request_id": new_id(), "items": items, **more}
        answer = self.send(kind, {name: value for name, value in body.items() if value is not None})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def verdicts(self, kind: str, *items: dict[str, Any]) -> list[str]:
        """What became of each item."""
        return [each["verdict"] for each in self.ask(kind, *items)["items"]]

    def undo(self, request_id: str) -> httpx.Response:
        """The answer to an undo."""
        return self.https[0].post(f"/v1/changes/{request_id}/undo")

    def later(self, by: timedelta = LATER) -> None:
        """Let time go by at all services."""
        for server in self.servers:
            server.now += by

    def rows(self, query: str = "") -> list[dict[str, Any]]:
        """The report's rows, an hour later."""
        self.later()
        answer = self.https[0].get(f"/v1/report?{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"]

    def told(self, **parameters: Any) -> list[dict[str, Any]]:
        """Every change that the feed tells, page by page, once all have settled."""
        for server in self.servers:
            server.now = NOW + timedelta(days=10_000)
        found: list[dict[str, Any]] = []
        while True:
            answer = self.https[0].get("/v1/seat-changes", params=parameters)
            assert answer.status_code == 200, answer.text
            parameters["after"] = answer.json()["next"]
            if not answer.json()["changes"]:
                return found
            found += answer.json()["changes"]
