"""The feed of seat changes for a licence system: each that changed something, in order, once.

Next: sinks.directory
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from query_service import cursor as cursors
from query_service.answers import plain
from query_service.columns import KeyType, SortKey
from query_service.cursor import Cursor
from query_service.params import LIMIT_DEFAULT, PAGE, Parameter, Parsed, parse
from query_service.queries import read_cursor
from query_service.report import after
from query_service.store import Row, compose
from query_service.values import read_cursor_text
from query_service.view import View

# Processes store at the same time, and of two changes the one with the lower version may be the
# later to be stored. So the place moves on only past changes that are this old; younger ones are
# told at once too, and the cursor remembers which, so that none is told twice.
SETTLE_SECONDS = 5
# What a cursor can hold; of more young changes the others are told when they have settled.
MOST_REMEMBERED = 100
FEED = (
    Parameter("after", "`next` of the answer before; without: the start.", read_cursor_text),
    PAGE[0],
)
_KEY_TYPES = (
    *(KeyType.NUMBER, KeyType.TEXT, KeyType.TEXT, KeyType.TEXT, KeyType.TEXT),
    *(KeyType.NUMBER, KeyType.TEXT, KeyType.TEXT, KeyType.TEXT),
)
_KEYS = tuple(SortKey(f"key_{number}", kind) for number, kind in enumerate(_KEY_TYPES))
_SHOWN = ("product_id", "team_id", "access", "assignment")


@dataclass(frozen=True)
class Place:
    """How far a reader has been told.

    `keys` are of the last change up to which all are told (empty: none), `told` are short hashes
    of younger ones that were told already.
    """

    keys: tuple[cursors.Value, ...] = ()
    told: tuple[str, ...] = ()


def feed(view: View, now: datetime, items: list[tuple[str, str]]) -> dict[str, Any]:
    """The next `changes` of the teams that the key may read, and the place after them."""
    parsed = parse(FEED, items)
    place = _read(parsed, view)
    limit = parsed.get("limit", LIMIT_DEFAULT)
    rows = view.store.ask(
        view.key,
        "seat_feed",
        {
            "from_version": place.keys[0] if place.keys else 0,
            "limit": limit + len(place.told),
            **{f"key_{index}": value for index, value in enumerate(place.keys)},
        },
        sql=compose("seat_feed", after=after(_KEYS) if place.keys else "true"),
    )
    settled = int((now.timestamp() - SETTLE_SECONDS) * 1_000_000)
    changes, place = _tell(rows, place, settled=settled, limit=limit)
    values = (",".join(place.told), *place.keys)
    return {
        "changes": [_change(view, row) for row in changes],
        "next": cursors.encode(Cursor(_fingerprint(view), now, values), view.secret),
    }


def _tell(rows: list[Row], place: Place, *, settled: int, limit: int) -> tuple[list[Row], Place]:
    """Those of `rows`, which follow `place` in order, that are new, and the place after them.

    `settled` is the highest version that no other process can still store below.
    """
    changes: list[Row] = []
    keys, told = place.keys, set(place.told)
    if len(rows) < limit + len(told):
        # All there are: a change that was told and turned out to change nothing is forgotten.
        told &= {_mark(row) for row in rows}
    for row in rows:
        mark, is_settled = _mark(row), row["key_0"] <= settled
        is_new = mark not in told
        if len(changes) == limit or (not is_settled and is_new and len(told) >= MOST_REMEMBERED):
            break
        if is_new:
            changes.append(row)
        if is_settled:
            keys = _keys(row)
            told.discard(mark)
        else:
            told.add(mark)
    return changes, Place(keys, tuple(sorted(told)))


def _keys(row: Row) -> tuple[cursors.Value, ...]:
    return tuple(row[key.expression] for key in _KEYS)


def _mark(row: Row) -> str:
    """A short hash: two of a hundred are the same once in 10^10."""
    return cursors.fingerprint(*_keys(row))[:12]


def _fingerprint(view: View) -> str:
    """A place stays good when personal data is switched on or off."""
    return cursors.fingerprint("seat-changes", view.key.tenant, sorted(view.key.teams))


def _read(parsed: Parsed, view: View) -> Place:
    """The place that `after` names; the start without it."""
    cursor = read_cursor(parsed, view.secret, "after")
    if cursor and (
        cursor.fingerprint != _fingerprint(view)
        or not any(cursors.fits(cursor, (KeyType.TEXT, *keys)) for keys in (_KEY_TYPES, ()))
    ):
        parsed.wrong("after", "invalid_cursor", "belongs to another feed")
    parsed.check()
    if cursor is None:
        return Place()
    told, *keys = cursor.values
    return Place(tuple(keys), tuple(filter(None, str(told).split(","))))


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
