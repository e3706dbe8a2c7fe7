"""Every month that is over is settled before each question, so that reports read monthly rows.

Next: sinks.settle
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from clickhouse_connect.driver.client import Client

from sinks.clickhouse import connect
from sinks.keys import Key
from sinks.settle import SETTINGS, Settler, settled_months
from tests.support.query_server import NOW, QueryServer


class Months:
    """Settles the months of a store, with a settler that waits for nothing."""

    def __init__(self, dsn: str) -> None:
        self._client = connect(dsn, **SETTINGS)
        self._settler = Settler(quiet_seconds=0)
        self._one = threading.Lock()

    def settle(self) -> set[int]:
        """Settle all that can be; the months that are settled now."""
        with self._one:
            self._settler.round(self._client, NOW.date())
            return set(settled_months(self._client).attempts)

    def settle_before(self, http: httpx.Client) -> None:
        """Settle before each question that `http` asks."""
        http.event_hooks["request"].append(lambda _: self.settle())

    def close(self) -> None:
        """Close the client."""
        self._client.close()


@contextmanager
def unmerged(client: Client) -> Iterator[None]:
    """No merge makes other parts meanwhile, so that what is settled stays so."""
    client.command("SYSTEM STOP MERGES usage_daily")
    try:
        yield
    finally:
        client.command("SYSTEM START MERGES usage_daily")


def key_of(server: QueryServer, http: httpx.Client) -> Key | None:
    """The key that `http` sends."""
    return server.wiring.ring.find(http.headers["Authorization"].removeprefix("Bearer "))
