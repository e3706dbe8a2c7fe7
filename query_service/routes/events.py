"""Events for operators: the recent ones, and the trace of one.

Next: query_service.routes.dead_letters
"""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter

from query_service.auth import Admin, Items
from query_service.params import EVENTS, LIMIT_DEFAULT, TRACE, parse
from query_service.queries import read_days
from query_service.routes.report import documented
from query_service.traces import events, events_query, trace
from query_service.view import look
from query_service.wiring import Wired

router = APIRouter(tags=["operations"])

_LIST_DAYS = 30


@router.get("/events", openapi_extra=documented(EVENTS))
def get_events(wired: Wired, key: Admin, items: Items) -> dict[str, Any]:
    """Recent events, the latest received first."""
    view = look(wired, key)
    parsed = parse(EVENTS, items, shown=view.shown)
    # Events may be dated a few minutes ahead.
    end = parsed.get("to", view.now.date() + timedelta(days=1))
    days = read_days(parsed, start=end - timedelta(days=_LIST_DAYS), end=end)
    query = events_query(parsed, days, view, limit=parsed.get("limit", LIMIT_DEFAULT))
    return {**view.describe(), **events(view, query)}


@router.get("/events/trace", openapi_extra=documented(TRACE))
def get_trace(wired: Wired, key: Admin, items: Items) -> dict[str, Any]:
    """What became of one event: where it is stored, and the row that it was counted in."""
    view = look(wired, key)
    parsed = parse(TRACE, items, shown=view.shown)
    parsed.check()
    return {
        **view.describe(),
        **trace(
            view,
            source=parsed.get("source"),
            event_id=parsed.get("id"),
            asked=parsed.many("user"),
            day=parsed.get("day"),
        ),
    }
