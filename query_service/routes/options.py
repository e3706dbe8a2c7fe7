"""Options: what a reader may filter by.

Next: query_service.routes.operations
"""

from typing import Any

from fastapi import APIRouter

from query_service.auth import Items, Reader
from query_service.options import options
from query_service.params import ROWS
from query_service.queries import rows_query
from query_service.routes.report import documented
from query_service.view import asked_teams, look
from query_service.wiring import Wired

router = APIRouter(tags=["reports"])


@router.get("/options", openapi_extra=documented(ROWS))
def get_options(wired: Wired, key: Reader, items: Items) -> dict[str, Any]:
    """Teams, products, versions and groups of the rows in the range.

    With filters, of the rows that these choose: what more can be chosen among them.
    """
    view = look(wired, key, asked_teams(items))
    query = rows_query(items, view)
    return {"range": query.range.describe(), **view.describe(), **options(view, query)}
