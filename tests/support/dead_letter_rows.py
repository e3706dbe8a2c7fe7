"""Dead letters put into the store as the worker copies them there.

Next: aggregators.dead_letters
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

_offsets = itertools.count()


def insert_letters(
    client: Client, tenant: str, raws: Iterable[bytes], *, last_at: datetime, **changes: Any
) -> list[str]:
    """One letter for each of `raws`, a minute apart, the last one at `last_at`; their origins."""
    rows: list[dict[str, Any]] = [
        {
            "origin": f"request/{tenant}-{offset}/0",
            "tenant": tenant,
            "reason": "unknown_type",
            "detail": "type is another one.",
            "key_id": "",
            "raw": raw,
            "version": offset,
            **changes,
        }
        for raw, offset in zip(raws, _offsets, strict=False)
    ]
    for number, row in enumerate(reversed(rows)):
        row["received_at"] = last_at - timedelta(minutes=number)
    names = list(rows[0])
    client.insert("dead_letters", [list(row.values()) for row in rows], column_names=names)
    return [row["origin"] for row in rows]
