"""Count every row again from its events, and say where the two differ.

Next: sinks.migrate
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from clickhouse_connect.driver.client import Client

from schemas.rollups import ROW_KEY
from sinks.clickhouse import query, statement

# So many days are checked at most, and no more than events are kept for: rows of days before have
# nothing left to be checked against.
RETENTION_DAYS = 400
EXAMPLES_MAX = 100
# Events are stored a moment before the rows they add to: a difference is looked at again before
# it is believed.
LOOKS = 3
PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Sums:
    """What a row says, or what its events add up to."""

    launches: int
    tokens: Decimal
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Difference:
    """A row that is not what its events add up to; None on the side that has none."""

    tenant: str
    user_id: str
    product_id: str
    product_version: str
    team_id: str
    access: str
    day: date
    stored: Sums | None
    counted: Sums | None


@dataclass(frozen=True)
class Verification:
    """How many rows were checked, how many differ, and the first of those."""

    checked: int
    differences: int
    examples: tuple[Difference, ...]


def verify(
    client: Client,
    *,
    today: date,
    tenant: str | None = None,
    teams: Iterable[str] = (),
    users: Iterable[str] = (),
    since: date | None = None,
    until: date | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Verification:
    """Compare the rows of `tenant` (None: of all) with their events, month by month.

    `teams`, `users` empty: all. `since` and `until` are UTC dates, inclusive; days before the
    events' retention are left out. A month is held in memory at a time, and spills to disk.
    """
    first = max(since or date.min, _kept_from(client, today))
    # A day ahead: events may be dated a few minutes after now.
    last = min(until or date.max, today + timedelta(days=1))
    checked, differences, examples = 0, 0, list[Difference]()
    for start, end in months(first, last):
        found = _settled(
            client,
            {
                "tenants": [] if tenant is None else [tenant],
                "teams": list(teams),
                "users": list(users),
                "from_day": start.isoformat(),
                "to_day": end.isoformat(),
            },
            sleep,
        )
        checked += found["checked"]
        differences += found["differences"]
        examples += [_difference(example) for example in found["examples"]]
    return Verification(checked, differences, tuple(examples[:EXAMPLES_MAX]))


def _kept_from(client: Client, today: date) -> date:
    """The first day whose events are all kept, as the table itself says."""
    _, expires, days = query(client, statement("sinks.sql", "events_kept")).result_rows[0]
    # A day less than they are kept: midnight may pass meanwhile.
    kept = min(RETENTION_DAYS - 1, days - 2) if expires and days else RETENTION_DAYS - 1
    return today - timedelta(days=kept)


def months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """The parts of [first, last] that lie in one month each: the tables' partitions."""
    while first <= last:
        following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
        yield first, min(last, following - timedelta(days=1))
        first = following


def _settled(
    client: Client, parameters: dict[str, Any], sleep: Callable[[float], None]
) -> dict[str, Any]:
    found = look(client, parameters)
    for _ in range(LOOKS - 1):
        if found["differences"]:
            sleep(PAUSE_SECONDS)
            found = look(client, parameters)
    return found


def look(client: Client, parameters: dict[str, Any]) -> dict[str, Any]:
    """One comparison of one month, parameters and columns as in verify.sql."""
    answer = query(
        client,
        statement("sinks.sql", "verify"),
        parameters=parameters,
        settings={"do_not_merge_across_partitions_select_final": 1},
    )
    return dict(next(iter(answer.named_results())))


def _difference(example: tuple[Any, ...]) -> Difference:
    stored, counted = example[15:]
    of_row = Sums(example[7], example[9], example[11], example[13])
    of_events = Sums(example[8], example[10], example[12], example[14])
    return Difference(
        **dict(zip(ROW_KEY, example[:7], strict=True)),
        stored=of_row if stored else None,
        counted=of_events if counted else None,
    )
