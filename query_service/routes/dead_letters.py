"""Dead letters for operators: what the gateway refused, the latest first.

Next: query_service.routes.operations
"""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter

from query_service.auth import Items, TenantAdmin
from query_service.dead_letters import letters, letters_query
from query_service.params import DEAD_LETTERS, LIMIT_DEFAULT, parse
from query_service.queries import read_days
from query_service.ranges import FIRST_DAY
from query_service.routes.report import documented
from query_service.view import look
from query_service.wiring import Wired

router = APIRouter(tags=["operations"])


@router.get("/dead-letters", openapi_extra=documented(DEAD_LETTERS))
def get_dead_letters(wired: Wired, key: TenantAdmin, items: Items) -> dict[str, Any]:
    """Events that were refused, with the reason; as they were sent where names are shown."""
    view = look(wired, key)
    parsed = parse(DEAD_LETTERS, items, shown=view.shown)
    # A gateway's clock may be a little ahead.
    days = read_days(parsed, start=FIRST_DAY, end=view.now.date() + timedelta(days=1))
    query = letters_query(parsed, days, view, limit=parsed.get("limit", LIMIT_DEFAULT))
    return {**view.describe(), **letters(view, query)}
