"""Write rows again from their events: the repair of rows that are not what they add up to.

Only under the lease of maintenance: a worker would write its own row over a rebuilt one.

Next: sinks.verify
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from schemas.rollups import FOLD_VERSION
from sinks.clickhouse import query, reraise, statement
from sinks.cluster import adapted
from sinks.verify import look, months

_SETTINGS = {"do_not_merge_across_partitions_select_final": 1}
# Rows that are deleted in one statement.
_CHUNK = 1_000


class BeyondRetention(Exception):  # noqa: N818 - named for what is asked
    """Events of the day are deleted, or may be while the rows are written: nothing to count."""


@dataclass(frozen=True)
class Chosen:
    """The rows to write again; `tenants` and `users` empty: all. Days are UTC, inclusive."""

    tenants: Sequence[str] = ()
    users: Sequence[str] = ()
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Rebuilt:
    """How many rows were written, how many of the chosen differed before, and how many do now.

    `ahead` of them carried a position that no record had yet, and were deleted first.
    """

    rows: int
    differed: int
    differ: int
    ahead: int


def rebuild(
    client: Client,
    chosen: Chosen,
    *,
    check: Callable[[], None],
    tell: Callable[[str], None] = lambda _: None,
) -> Rebuilt:
    """Write the chosen rows from `usage_events`, month by month.

    `check` is called before each write, and raises when the lease is lost. Raises BeyondRetention
    for a day whose events are not all kept, and Unavailable while ClickHouse is away.
    """
    try:
        first, last = _days(client, chosen)
        used = {month for (month,) in _query(client, "months_used", {})}
        rows = differed = differ = ahead = 0
        for start, end in months(first, last):
            if start.replace(day=1) not in used:
                continue
            done = _rebuild_month(client, chosen, start, end, check)
            if done.rows or done.ahead:
                tell(f"{start} to {end}: {done.rows} rows written, {done.differed} differed")
            rows, differed = rows + done.rows, differed + done.differed
            differ, ahead = differ + done.differ, ahead + done.ahead
    except (ClickHouseError, HTTPError, OSError) as error:
        reraise(error)
    return Rebuilt(rows, differed, differ, ahead)


def _days(client: Client, chosen: Chosen) -> tuple[date, date]:
    today, expires, days = _query(client, "events_kept", {})[0]
    oldest = date.min
    if expires:
        # A day less than they are kept: midnight may pass meanwhile. Nothing, where it is unknown.
        oldest = today - timedelta(days=days - 2) if days else date.max
    if chosen.since is not None and chosen.since < oldest:
        raise BeyondRetention(
            f"{chosen.since} is beyond the events' retention: rows of days before {oldest} can't"
            " be counted again"
        )
    if oldest == date.max:
        raise BeyondRetention("usage_events has a TTL that can't be read")
    # A day ahead: events may be dated a few minutes after now.
    newest = today + timedelta(days=1)
    return chosen.since or oldest, min(chosen.until or newest, newest)


def _rebuild_month(
    client: Client, chosen: Chosen, start: date, end: date, check: Callable[[], None]
) -> Rebuilt:
    parameters = {
        "tenants": list(chosen.tenants),
        "users": list(chosen.users),
        "from_day": start,
        "to_day": end,
    }
    compared = {**parameters, "teams": []}
    differed = look(client, compared)["differences"]
    check()
    ahead = _drop_ahead(client, parameters)
    check()
    written = client.command(
        statement("sinks.sql", "rebuild"),
        parameters={**parameters, "fold_version": FOLD_VERSION},
        settings=_SETTINGS,
    )
    rows = int(written.written_rows)  # type: ignore[union-attr] # an insert's summary
    differ = look(client, compared)["differences"] if rows or ahead else 0
    return Rebuilt(rows, differed, differ, ahead)


def _drop_ahead(client: Client, parameters: dict[str, Any]) -> int:
    """Delete the rows whose position would make the fold pass over records to come."""
    found = _query(client, "rows_ahead", parameters)
    for place in range(0, len(found), _CHUNK):
        for sql in adapted(client, statement("sinks.sql", "drop_rows")):
            client.command(sql, parameters={"keys": found[place : place + _CHUNK]})
    return len(found)


def _query(client: Client, name: str, parameters: dict[str, Any]) -> Sequence[Any]:
    answer = query(client, statement("sinks.sql", name), parameters=parameters, settings=_SETTINGS)
    return answer.result_rows
