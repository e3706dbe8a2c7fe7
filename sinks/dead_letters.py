"""Dead letters in the store: chosen, read in pages, and marked by whoever judged them again.

A mark outlives the topic: its version is above every offset that the worker copies letters with.

Next: sinks.inserts
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from sinks.clickhouse import query, reraise, statement
from sinks.inserts import Inserts

# Of at most 64 KiB each. A page costs about the same whatever its length.
PAGE = 500
# A letter that was replayed stays so, whatever another replay says of it at the same time.
_JUDGED, _REPLAYED = 1 << 62, 1 << 63
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(2105, 12, 31)

# A letter as the worker copies it from the topic, where its offset is its version.
SCHEMA = pl.Schema(
    {
        "origin": pl.String(),
        "tenant": pl.String(),
        "reason": pl.String(),
        "detail": pl.String(),
        "key_id": pl.String(),
        "raw": pl.Binary(),
        "received_at": pl.Datetime("ms", "UTC"),
        "version": pl.UInt64(),
    }
)


@dataclass(frozen=True, slots=True)
class Letter:
    """What was refused, and why: the columns of SCHEMA. `key_id` is empty where none is known."""

    origin: str
    tenant: str
    reason: str
    detail: str
    key_id: str
    raw: bytes
    received_at: datetime

    def refused(self, reason: str, detail: str) -> "Letter":
        """The same letter, refused for what is wrong with it now."""
        return replace(self, reason=reason, detail=detail)


@dataclass(frozen=True)
class Choice:
    """Which letters; `tenant` None and what is empty choose all. Days are those of receipt."""

    tenant: str | None = None
    reasons: Sequence[str] = ()
    origins: Sequence[str] = ()
    first: date | None = None
    last: date | None = None

    def parameters(self) -> dict[str, Any]:
        """For the statements."""
        return {
            "tenants": [] if self.tenant is None else [self.tenant],
            "reasons": list(self.reasons),
            "origins": list(self.origins),
            "from_day": (self.first or _FIRST_DAY).isoformat(),
            "to_day": (self.last or _LAST_DAY).isoformat(),
        }


def waiting(client: Client, choice: Choice, *, now: datetime) -> Iterator[list[Letter]]:
    """The chosen letters that were not replayed yet, page by page, each of them once.

    None received after `now`: a worker that can't read what is replayed makes a new letter of it,
    and there would be no end. Raises Unavailable while ClickHouse is away.
    """
    bounds = {"until_milliseconds": int(now.timestamp() * 1000), "limit": PAGE}
    place = ("", "")
    while True:
        place_of = {"after_tenant": place[0], "after_origin": place[1]}
        rows = _query(client, "dead_letters", choice.parameters() | place_of | bounds)
        if not rows:
            return
        page = [_letter(row) for row in rows]
        yield page
        place = (page[-1].tenant, page[-1].origin)


def latest(client: Client, choice: Choice, *, limit: int, shown_bytes: int) -> list[dict[str, Any]]:
    """The chosen letters, the latest received first, as rows of dead_letters_latest.sql."""
    more = {"limit": limit, "shown_bytes": shown_bytes}
    return _query(client, "dead_letters_latest", choice.parameters() | more)


def mark_replayed(inserts: Inserts, letters: Sequence[Letter], *, now: datetime) -> None:
    """Note that what these letters hold is on the log. Raises Unavailable."""
    _store(inserts, letters, _REPLAYED | _micros(now), replayed=True)


def mark_judged(inserts: Inserts, letters: Sequence[Letter], *, now: datetime) -> None:
    """Note the reason that these letters are refused for now. Raises Unavailable."""
    _store(inserts, letters, _JUDGED | _micros(now), replayed=False)


def _store(inserts: Inserts, letters: Sequence[Letter], version: int, *, replayed: bool) -> None:
    rows = [(*astuple(letter), version) for letter in letters]
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    inserts.insert("dead_letters", frame.with_columns(replayed=pl.lit(replayed)))


def _micros(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


def _query(client: Client, name: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        answer = query(client, statement("sinks.sql", name), parameters=parameters)
    except (ClickHouseError, HTTPError, OSError) as error:
        reraise(error)
    return [dict(row) for row in answer.named_results()]


def _letter(row: dict[str, Any]) -> Letter:
    moment = row["received_at"]
    received_at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Letter(**{**row, "raw": base64.b64decode(row["raw"]), "received_at": received_at})
