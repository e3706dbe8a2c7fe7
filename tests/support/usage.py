"""Events put into the store as the worker would have folded them: events, rows, nothing else.

Next: tests.support.plain_report
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from clickhouse_connect.driver.client import Client

from tests.support.plain_tenant import Event

_positions = itertools.count(1 << 48)
_EVENT_COLUMNS = (
    *("tenant", "user_id", "day", "source", "id", "type", "time", "received_at", "team_id"),
    *("product_id", "access", "tokens", "product_version", "session_id", "feature_id"),
    *("cost_center", "partition", "position", "seq"),
)
_ROW_COLUMNS = (
    *("tenant", "user_id", "product_id", "product_version", "team_id", "access", "day"),
    *("launches", "tokens", "first_at", "last_at", "partition", "position", "fold_version"),
)


def event(day: str = "2026-03-01", clock: str = "12:00:00", **changed: Any) -> Event:
    """A launch, valid by default; tokens make it a use of tokens."""
    fields = {
        "user_id": "user-1",
        "time": datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC),
        "team_id": "team-1",
        "product_id": "product-1",
        "access": "subscription",
        "version": "2026",
        "tokens": Decimal(0),
    }
    return Event(**(fields | changed))


def insert_events(client: Client, tenant: str, events: Iterable[Event]) -> list[str]:
    """Store the events alone; return their ids. Their source is `sample`."""
    lines, ids = [], []
    for each in events:
        position = next(_positions)
        ids.append(f"event-{position}")
        kind = "tokens.consumed" if each.tokens else "product.launched"
        lines.append(
            (
                *(tenant, each.user_id, each.day, "sample", ids[-1], kind, each.time),
                *(each.time + timedelta(seconds=1), each.team_id, each.product_id, each.access),
                *(each.tokens, each.version, "", "", "", 0, position, 0),
            )
        )
    client.insert("usage_events", lines, column_names=list(_EVENT_COLUMNS))
    return ids


def insert_rows(client: Client, tenant: str, events: Iterable[Event]) -> None:
    """Store the rows that all the events of a tenant fold to, at a higher position than before."""
    folded: dict[tuple[Any, ...], list[Event]] = defaultdict(list)
    for each in events:
        key = (each.user_id, each.product_id, each.version, each.team_id, each.access, each.day)
        folded[key].append(each)
    lines = [
        (
            *(tenant, *key, sum(each.launches for each in used)),
            sum((each.tokens for each in used), Decimal(0)),
            *(min(each.time for each in used), max(each.time for each in used)),
            *(0, next(_positions), 1),
        )
        for key, used in folded.items()
    ]
    client.insert("usage_daily", lines, column_names=list(_ROW_COLUMNS))


def insert_usage(client: Client, tenant: str, events: Iterable[Event]) -> list[str]:
    """Store all the events of a tenant, and their rows; return the events' ids."""
    every = list(events)
    ids = insert_events(client, tenant, every)
    insert_rows(client, tenant, every)
    return ids
