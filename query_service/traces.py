"""What became of events: the list of recent ones, and the trace of one to its row.

Next: query_service.routes.events
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from query_service import answers
from query_service import cursor as cursors
from query_service.columns import KeyType, SortKey
from query_service.cursor import Cursor
from query_service.params import Parsed
from query_service.ranges import FIRST_DAY
from query_service.report import after
from query_service.store import Row, Store, compose
from sinks.keys import Key, hashed_user_id

# Where an event stands in the log: no two share it, and it never changes.
PLACE = tuple(SortKey("", KeyType.NUMBER, descending=True) for _ in range(4))

_PLACED = ("partition", "position", "seq", "received_at")
_KEYED = ("product_id", "product_version", "team_id", "access", "day")
_SHOWN = (
    "source",
    "id",
    "type",
    "time",
    *_PLACED,
    "day",
    "team_id",
    "product_id",
    "access",
    "product_version",
    "session_id",
    "feature_id",
    "cost_center",
)


@dataclass(frozen=True)
class EventsQuery:
    """One page of the events dated in [`start`, `end`]."""

    users: tuple[str, ...]
    start: date
    end: date
    limit: int
    after: Cursor | None
    fingerprint: str


def events_query(
    parsed: Parsed, days: tuple[date, date], *, limit: int, bound_to: Sequence[str]
) -> EventsQuery:
    """The page that was asked for; raises Problem when the cursor is not one of this list."""
    users = parsed.many("user")
    print_ = cursors.fingerprint("events", bound_to, users, parsed.get("from"), parsed.get("to"))
    place = _read_place(parsed, print_)
    parsed.check()
    return EventsQuery(users, *days, limit, place, print_)


def _read_place(parsed: Parsed, print_: str) -> Cursor | None:
    text = parsed.get("cursor")
    if text is None:
        return None
    try:
        place = cursors.decode(text)
    except ValueError as error:
        parsed.wrong("cursor", "invalid_cursor", str(error))
        return None
    if place.fingerprint != print_ or not cursors.fits(place, [key.type for key in PLACE]):
        parsed.wrong("cursor", "invalid_cursor", "belongs to a query with other parameters")
    return place


def events(store: Store, key: Key, query: EventsQuery, *, now: datetime) -> dict[str, Any]:
    """`events`, the latest received first, and `next_cursor`."""
    place = query.after.values if query.after else ()
    rows = store.ask(
        key,
        "events",
        {
            **store.user_ids(key, query.users),
            "from_day": query.start,
            "to_day": query.end,
            "limit": query.limit + 1,
            **{f"key_{index}": value for index, value in enumerate(place)},
        },
        sql=compose("events", after=after(PLACE) if query.after else "true"),
    )
    page = rows[: query.limit]
    hide = partial(hashed_user_id, store.hasher(key))
    return {
        "events": [_event(row, hide) for row in page],
        "next_cursor": _next(query, page[-1], now) if len(rows) > len(page) else None,
    }


def _next(query: EventsQuery, last: Row, now: datetime) -> str:
    values = tuple(last[f"key_{index}"] for index in range(len(PLACE)))
    return cursors.encode(Cursor(query.fingerprint, now, values))


def _event(row: Row, hide: Callable[[str], str]) -> dict[str, Any]:
    return {
        "user_id": None,
        "hashed_user_id": hide(row["user_id"]),
        **{name: answers.plain(row[name]) for name in _SHOWN},
        "tokens": answers.tokens(row["tokens"]),
    }


def trace(
    store: Store, key: Key, *, source: str, event_id: str, users: Sequence[str], day: date | None
) -> dict[str, Any]:
    """The first stored event of the identity and its row; `others` where there are more.

    An identity holds within a user's day only, so it may have been counted for several.
    """
    rows = store.ask(
        key,
        "trace",
        {
            **store.user_ids(key, users),
            "source": source,
            "id": event_id,
            "day": day or FIRST_DAY,
        },
    )
    if not rows:
        absent = dict.fromkeys((*_PLACED, "user_id", "hashed_user_id", "day", "row"))
        return {"stored": False, **absent, "others": []}
    hide = partial(hashed_user_id, store.hasher(key))
    first, *others = (_traced(store, key, row, hide) for row in rows)
    return {**first, "others": others}


def _traced(store: Store, key: Key, row: Row, hide: Callable[[str], str]) -> dict[str, Any]:
    found = store.ask(key, "traced_row", {"user_id": row["user_id"], **{n: row[n] for n in _KEYED}})
    return {
        "stored": True,
        **{name: answers.plain(row[name]) for name in _PLACED},
        "user_id": None,
        "hashed_user_id": hide(row["user_id"]),
        "day": row["day"].isoformat(),
        "row": _daily_row(found[0]) if found else None,
    }


def _daily_row(row: Row) -> dict[str, Any]:
    shown = {name: answers.plain(value) for name, value in row.items()}
    return {**shown, "tokens": answers.tokens(row["tokens"])}
