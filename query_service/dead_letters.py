"""The list of dead letters: what was refused, why, and as much of it as may be shown.

Next: query_service.routes.dead_letters
"""

import base64
import codecs
from dataclasses import dataclass
from datetime import date
from typing import Any

from query_service import answers
from query_service import cursor as cursors
from query_service.columns import KeyType, SortKey
from query_service.cursor import Cursor
from query_service.params import Parsed
from query_service.queries import check_cursor, read_cursor
from query_service.report import after, place_parameters
from query_service.store import Row, compose
from query_service.view import View
from schemas.topics import DEAD_LETTER_MAX_BYTES

# How much of a letter is shown: a list is for finding out what is wrong.
SHOWN_BYTES = 4096

# Received when, and the origin, which no two letters of a tenant share.
PLACE = (
    SortKey("", KeyType.NUMBER, descending=True),
    SortKey("", KeyType.TEXT, descending=True),
)


@dataclass(frozen=True)
class LettersQuery:
    """One page of the letters received in [`start`, `end`]; empty `replayed`: in any state."""

    reasons: tuple[str, ...]
    replayed: tuple[bool, ...]
    start: date
    end: date
    limit: int
    after: Cursor | None
    fingerprint: str


def letters_query(
    parsed: Parsed, days: tuple[date, date], view: View, *, limit: int
) -> LettersQuery:
    """The page that was asked for; raises Problem when the cursor is not one of this list."""
    names = ("reason", "replayed", "from", "to")
    print_ = cursors.fingerprint(
        "dead-letters", view.bound_to, *(parsed.get(name) for name in names)
    )
    place = read_cursor(parsed, view.secret)
    check_cursor(parsed, place, print_, PLACE)
    replayed = (parsed.get("replayed"),) if "replayed" in parsed.values else ()
    return LettersQuery(parsed.many("reason"), replayed, *days, limit, place, print_)


def letters(view: View, query: LettersQuery) -> dict[str, Any]:
    """`dead_letters`, the latest received first, and `next_cursor`."""
    rows = view.store.ask(
        view.key,
        "dead_letters",
        {
            "reasons": list(query.reasons),
            "replayed": list(query.replayed),
            "from_day": query.start,
            "to_day": query.end,
            "limit": query.limit + 1,
            "shown_bytes": SHOWN_BYTES,
            **place_parameters(query.after),
        },
        sql=compose("dead_letters", after=after(PLACE) if query.after else "true"),
    )
    page = rows[: query.limit]
    found = [described(row, shown=view.privacy.shows_letter(row["team_id"])) for row in page]
    more = len(rows) > len(page)
    return {"dead_letters": found, "next_cursor": _next(view, query, page[-1]) if more else None}


def _next(view: View, query: LettersQuery, last: Row) -> str:
    values = (last["key_0"], last["key_1"])
    return cursors.encode(Cursor(query.fingerprint, view.now, values), view.secret)


def described(row: Row, *, shown: bool) -> dict[str, Any]:
    """A letter for a reader; what was sent may name users, so it is there only if `shown`.

    `raw` is its beginning as text; where it is no text, `raw_base64` has the same bytes exactly.
    `whole` is false for a letter that was too long to be kept to its end.
    """
    beginning = base64.b64decode(row["beginning"])
    return {
        "origin": row["origin"],
        "received_at": answers.plain(row["received_at"]),
        "reason": row["reason"],
        "detail": row["detail"] if shown else None,
        "key_id": row["key_id"] or None,
        "replayed": row["replayed"],
        "size_bytes": row["size_bytes"],
        "whole": row["size_bytes"] < DEAD_LETTER_MAX_BYTES,
        "raw": _text(beginning) if shown else None,
        "raw_base64": row["beginning"] if shown and not row["is_text"] else None,
    }


def _text(beginning: bytes) -> str:
    """As text; a character that the end cuts through is left out."""
    return codecs.getincrementaldecoder("utf-8")("replace").decode(beginning)
