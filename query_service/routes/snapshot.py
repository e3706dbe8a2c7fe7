"""The snapshot: how things stand, in a few numbers.

Next: query_service.routes.tokens
"""

from typing import Any

from fastapi import APIRouter

from query_service.auth import Items, Reader
from query_service.params import ROWS
from query_service.queries import rows_query
from query_service.routes.report import documented
from query_service.snapshot import snapshot
from query_service.view import asked_teams, look
from query_service.wiring import Wired

router = APIRouter(tags=["reports"])


@router.get("/snapshot", openapi_extra=documented(ROWS))
def get_snapshot(wired: Wired, key: Reader, items: Items) -> dict[str, Any]:
    """Subscriptions, seats, tokens and users in a few numbers.

    Every filter chooses the rows that are added up. Subscriptions and the total of seats move with
    `team` and `product` alone, the balance of tokens with `team` alone.
    """
    view = look(wired, key, asked_teams(items))
    query = rows_query(items, view)
    described = view.describe()
    return {
        "range": query.range.describe(),
        "personal_data": described["personal_data"],
        "complete_up_to": described["complete_up_to"],
        **snapshot(view, query),
    }
