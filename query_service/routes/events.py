"""Events for operators: the recent ones, and the trace of one.

Next: query_service.routes.operations
"""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter

from query_service.answers import plain
from query_service.auth import Admin, Items
from query_service.completeness import complete_up_to
from query_service.params import EVENTS, LIMIT_DEFAULT, TRACE, parse
from query_service.queries import read_days
from query_service.routes.report import documented
from query_service.traces import events, events_query, trace
from query_service.wiring import Wired

router = APIRouter(tags=["operations"])

_LIST_DAYS = 30


@router.get("/events", openapi_extra=documented(EVENTS))
def get_events(wired: Wired, key: Admin, items: Items) -> dict[str, Any]:
    """Recent events, the latest received first."""
    now = wired.now()
    parsed = parse(EVENTS, items)
    # Events may be dated a few minutes ahead.
    end = parsed.get("to", now.date() + timedelta(days=1))
    days = read_days(parsed, start=end - timedelta(days=_LIST_DAYS), end=end)
    query = events_query(
        parsed,
        days,
        limit=parsed.get("limit", LIMIT_DEFAULT),
        bound_to=(key.tenant, *sorted(key.teams)),
    )
    complete = complete_up_to(wired.store, partitions=wired.settings.partitions)
    return {
        "personal_data": "hashed",
        "complete_up_to": plain(complete),
        **events(wired.store, key, query, now=now),
    }


@router.get("/events/trace", openapi_extra=documented(TRACE))
def get_trace(wired: Wired, key: Admin, items: Items) -> dict[str, Any]:
    """What became of one event: where it is stored, and the row that it was counted in."""
    parsed = parse(TRACE, items)
    parsed.check()
    complete = complete_up_to(wired.store, partitions=wired.settings.partitions)
    return {
        **trace(
            wired.store,
            key,
            source=parsed.get("source"),
            event_id=parsed.get("id"),
            users=parsed.many("user"),
            day=parsed.get("day"),
        ),
        "complete_up_to": plain(complete),
    }
