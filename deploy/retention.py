"""How long tables keep what names users: the settings, as each table's TTL.

Seat changes have none: a seat is the sum of all that ever happened to it. The directory keeps
whom it is told to keep.

Next: aggregators.retention
"""

import re
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from aggregators.retention import check_retention
from schemas.rejects import PersonNeeded
from schemas.settings import StoreSettings
from sinks.clickhouse import query, statement
from sinks.cluster import SHARDED, adapted, below, stored

# Longer than import reaches back: a week of log, and a day for the edges of days.
EVENTS_MORE_DAYS = 8

_TTL = re.compile(r" TTL (.+?)(?: SETTINGS |$)")


@dataclass(frozen=True)
class Kept:
    """A table, the expression of the day that its TTL counts from, and days; 0: for ever.

    `always`: a table that has no TTL was given none by a person.
    """

    table: str
    day: str
    days: int
    always: bool = True


def apply(client: Client, settings: StoreSettings, *, log_days: float) -> list[str]:
    """Give each table the TTL that is set, where it has another; the names of those changed.

    A TTL of another form than ours is a person's and is left. Raises PersonNeeded where events
    would be forgotten while the log (of `log_days`) may still hold them, or rows before their
    events.
    """
    events_days = settings.events_retention_days + EVENTS_MORE_DAYS
    if 0 < settings.daily_retention_days < events_days:
        raise PersonNeeded(
            "daily_ttl",
            f"USAGE_DAILY_RETENTION_DAYS is {settings.daily_retention_days}, and events are kept"
            f" for {events_days} days: rows would be missed that events are there for.",
            remedy=f"set it to {events_days} or more, or to 0 to keep rows for ever.",
        )
    wanted = (
        Kept("usage_events", "day", events_days),
        Kept("usage_daily", "day", settings.daily_retention_days, always=False),
        Kept("dead_letters", "toDate(received_at)", settings.dead_letters_retention_days),
    )
    changed = [kept for kept in wanted if _differs(client, kept)]
    for kept in changed:
        if kept.table == "usage_events":
            check_retention(f" TTL {_ttl(kept)}", log_days)
    for kept in changed:
        _alter(client, kept)
    return [kept.table for kept in changed]


def _ttl(kept: Kept) -> str:
    """As ClickHouse writes it."""
    return f"{kept.day} + toIntervalDay({kept.days})"


def _differs(client: Client, kept: Kept) -> bool:
    sql = statement("sinks.sql", "table_engine")
    found = stored(client)
    table = below(kept.table) if found and found.cluster and kept.table in SHARDED else kept.table
    engine = query(client, sql, parameters={"table": table}).result_rows[0][0]
    has = _TTL.search(engine)
    if has is None:
        return kept.days > 0 and not kept.always
    is_ours = re.fullmatch(rf"{re.escape(kept.day)} \+ toIntervalDay\(\d+\)", has[1])
    return is_ours is not None and has[1] != _ttl(kept)


def _alter(client: Client, kept: Kept) -> None:
    slots = {"$table": kept.table, "$day": kept.day, "$days": str(kept.days)}
    sql = statement("sinks.sql", "modify_ttl" if kept.days else "remove_ttl")
    for slot in sorted(slots, key=len, reverse=True):
        sql = sql.replace(slot, slots[slot])
    for each in adapted(client, sql):
        client.command(each)
