"""What became of events: the list of recent ones, and the trace of one to its row.

Next: query_service.routes.events
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from query_service import answers
from query_service import cursor as cursors
from query_service.chosen import user_ids
from query_service.columns import KeyType, SortKey
from query_service.cursor import Cursor
from query_service.params import Parsed
from query_service.queries import check_cursor, read_cursor
from query_service.ranges import FIRST_DAY
from query_service.report import after, place_parameters
from query_service.store import Row, compose
from query_service.view import View

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
    products: tuple[str, ...]
    start: date
    end: date
    limit: int
    after: Cursor | None
    fingerprint: str


def events_query(parsed: Parsed, days: tuple[date, date], view: View, *, limit: int) -> EventsQuery:
    """The page that was asked for; raises Problem when the cursor is not one of this list."""
    users, products = parsed.many("user"), parsed.many("product")
    asked = (users, products, parsed.get("from"), parsed.get("to"))
    print_ = cursors.fingerprint("events", view.bound_to, *asked)
    place = read_cursor(parsed, view.secret)
    check_cursor(parsed, place, print_, PLACE)
    return EventsQuery(users, products, *days, limit, place, print_)


def events(view: View, query: EventsQuery) -> dict[str, Any]:
    """`events`, the latest received first, and `next_cursor`."""
    rows = view.store.ask(
        view.key,
        "events",
        {
            "user_filter": bool(query.users),
            "user_ids": user_ids(view, query.users),
            "products": list(query.products),
            "from_day": query.start,
            "to_day": query.end,
            "limit": query.limit + 1,
            **place_parameters(query.after),
        },
        sql=compose("events", after=after(PLACE) if query.after else "true"),
    )
    page = rows[: query.limit]
    return {
        "events": [_event(view, row) for row in page],
        "next_cursor": _next(view, query, page[-1]) if len(rows) > len(page) else None,
    }


def _next(view: View, query: EventsQuery, last: Row) -> str:
    values = tuple(last[f"key_{index}"] for index in range(len(PLACE)))
    return cursors.encode(Cursor(query.fingerprint, view.now, values), view.secret)


def _event(view: View, row: Row) -> dict[str, Any]:
    return {
        **view.name(row["user_id"]),
        **{name: answers.plain(row[name]) for name in _SHOWN},
        "tokens": answers.tokens(row["tokens"]),
    }


def trace(
    view: View, *, source: str, event_id: str, asked: Sequence[str], day: date | None
) -> dict[str, Any]:
    """The first stored event of the identity and its row; `others` where there are more.

    An identity holds within a user's day only, so it may have been counted for several.
    """
    rows = view.store.ask(
        view.key,
        "trace",
        {
            "user_filter": bool(asked),
            "user_ids": user_ids(view, asked),
            "source": source,
            "id": event_id,
            "day": day or FIRST_DAY,
        },
    )
    if not rows:
        absent = dict.fromkeys((*_PLACED, "user_id", "hashed_user_id", "day", "row"))
        return {"stored": False, **absent, "others": []}
    first, *others = (_traced(view, row) for row in rows)
    return {**first, "others": others}


def _traced(view: View, row: Row) -> dict[str, Any]:
    place = {"user_id": row["user_id"], **{name: row[name] for name in _KEYED}}
    found = view.store.ask(view.key, "traced_row", place)
    return {
        "stored": True,
        **{name: answers.plain(row[name]) for name in _PLACED},
        **view.name(row["user_id"]),
        "day": row["day"].isoformat(),
        "row": _daily_row(found[0]) if found else None,
    }


def _daily_row(row: Row) -> dict[str, Any]:
    shown = {name: answers.plain(value) for name, value in row.items()}
    return {**shown, "tokens": answers.tokens(row["tokens"])}
