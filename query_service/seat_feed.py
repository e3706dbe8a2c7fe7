"""The feed of seat changes for a licence system: each that changed something, in order, once.

Next: sinks.directory
"""

from datetime import datetime
from typing import Any

from query_service import cursor as cursors
from query_service.answers import plain
from query_service.columns import KeyType, SortKey
from query_service.cursor import Cursor
from query_service.params import LIMIT_DEFAULT, PAGE, Parameter, Parsed, parse
from query_service.report import after
from query_service.store import Row, compose
from query_service.values import read_text
from query_service.view import View

# A change is told when it has been stored for so long. Processes store at the same time, and the
# one with the lower version may be the later: who was told of the other would never hear of it.
SETTLE_SECONDS = 5
FEED = (
    Parameter("after", "`next` of the answer before; without it, from the start.", read_text),
    PAGE[0],
)
_TYPES = (
    *(KeyType.NUMBER, KeyType.TEXT, KeyType.TEXT, KeyType.TEXT, KeyType.TEXT),
    *(KeyType.NUMBER, KeyType.TEXT, KeyType.TEXT, KeyType.TEXT),
)
_KEYS = tuple(SortKey(f"key_{number}", kind) for number, kind in enumerate(_TYPES))
_SHOWN = ("product_id", "team_id", "access", "assignment")


def feed(view: View, now: datetime, items: list[tuple[str, str]]) -> dict[str, Any]:
    """The next `changes` of the teams that the key may read, and the place after them."""
    parsed = parse(FEED, items)
    place = _place(parsed, view)
    rows = view.store.ask(
        view.key,
        "seat_feed",
        {
            "settled": int((now.timestamp() - SETTLE_SECONDS) * 1_000_000),
            "from_version": place[0] if place else 0,
            "limit": parsed.get("limit", LIMIT_DEFAULT),
            **{f"key_{index}": value for index, value in enumerate(place)},
        },
        sql=compose("seat_feed", after=after(_KEYS) if place else "true"),
    )
    last = tuple(rows[-1][key.expression] for key in _KEYS) if rows else place
    return {
        "changes": [_change(view, row) for row in rows],
        "next": cursors.encode(Cursor(_fingerprint(view), now, last), view.secret),
    }


def _fingerprint(view: View) -> str:
    """A place stays good when personal data is switched on or off."""
    return cursors.fingerprint("seat-changes", view.key.tenant, sorted(view.key.teams))


def _place(parsed: Parsed, view: View) -> tuple[cursors.Value, ...]:
    """The keys of the last change that was told; empty at the start."""
    text, place = parsed.get("after"), None
    try:
        place = cursors.decode(text, view.secret) if text is not None else None
    except ValueError as error:
        parsed.wrong("after", "invalid_cursor", str(error))
    if place and (
        place.fingerprint != _fingerprint(view)
        or not (cursors.fits(place, _TYPES) or not place.values)
    ):
        parsed.wrong("after", "invalid_cursor", "belongs to another feed")
    parsed.check()
    return place.values if place else ()


def _change(view: View, row: Row) -> dict[str, Any]:
    return {
        "at": plain(row["at"]),
        **view.name(row["user_id"]),
        **{name: row[name] for name in _SHOWN},
        "group": row["group"] or None,
        "assigned": row["assigned"],
        "actor": row["actor"],
        "request_id": row["request_id"] or None,
    }
