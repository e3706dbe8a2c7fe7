"""The audit log as a list: who changed or exported what, the latest first.

Next: query_service.routes.audit
"""

import json
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

# When it began, and its id, which no two entries share.
PLACE = (
    SortKey("", KeyType.NUMBER, descending=True),
    SortKey("", KeyType.TEXT, descending=True),
)
_NAMES = ("entry_id", "action", "via", "key_id", "session", "request_id", "result")


@dataclass(frozen=True)
class AuditQuery:
    """One page of the entries begun in [`start`, `end`]; empty `actions` or `results`: all."""

    actions: tuple[str, ...]
    results: tuple[str, ...]
    start: date
    end: date
    limit: int
    after: Cursor | None
    fingerprint: str


def audit_query(parsed: Parsed, days: tuple[date, date], view: View, *, limit: int) -> AuditQuery:
    """The page that was asked for; raises Problem when the cursor is not one of this list."""
    names = ("action", "result", "from", "to")
    print_ = cursors.fingerprint("audit", view.bound_to, *(parsed.get(name) for name in names))
    place = read_cursor(parsed, view.secret)
    check_cursor(parsed, place, print_, PLACE)
    return AuditQuery(parsed.many("action"), parsed.many("result"), *days, limit, place, print_)


def audit_entries(view: View, query: AuditQuery) -> dict[str, Any]:
    """`entries`, the latest first, and `next_cursor`."""
    rows = view.store.ask(
        view.key,
        "audit",
        {
            "actions": list(query.actions),
            "results": list(query.results),
            "from_day": query.start,
            "to_day": query.end,
            "limit": query.limit + 1,
            **place_parameters(query.after),
        },
        sql=compose("audit", after=after(PLACE) if query.after else "true"),
    )
    page = rows[: query.limit]
    more = len(rows) > len(page)
    cursor = _next(view, query, page[-1]) if more else None
    return {"entries": [_described(row) for row in page], "next_cursor": cursor}


def _described(row: Row) -> dict[str, Any]:
    words = {name: row[name] or None for name in _NAMES}
    return {"at": answers.plain(row["at"]), **words, "details": json.loads(row["details"])}


def _next(view: View, query: AuditQuery, last: Row) -> str:
    values = (last["key_0"], last["key_1"])
    return cursors.encode(Cursor(query.fingerprint, view.now, values), view.secret)
