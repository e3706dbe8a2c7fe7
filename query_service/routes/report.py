"""Reports and series: what was used, by whom, in a range.

Next: query_service.routes.operations
"""

from typing import Any

from fastapi import APIRouter

from query_service.auth import Items, Reader
from query_service.params import DAILY, REPORT, Parameter
from query_service.queries import daily_query, report_query
from query_service.report import report
from query_service.series import series
from query_service.view import asked_teams, look
from query_service.wiring import Wired

router = APIRouter(tags=["reports"])


def documented(parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    """The query parameters, for OpenAPI."""
    return {"parameters": [parameter.openapi() for parameter in parameters]}


@router.get("/report", openapi_extra=documented(REPORT))
def get_report(wired: Wired, key: Reader, items: Items) -> dict[str, Any]:
    """One page of a report, with totals over all its rows."""
    view = look(wired, key, asked_teams(items))
    query = report_query(items, view)
    return {"range": query.range.describe(), **view.describe(), **report(view, query)}


@router.get("/daily", openapi_extra=documented(DAILY))
def get_daily(wired: Wired, key: Reader, items: Items) -> dict[str, Any]:
    """Launches, tokens and users by day, week or month."""
    view = look(wired, key, asked_teams(items))
    query = daily_query(items, view)
    return {
        "range": query.range.describe(),
        **view.describe(),
        "interval": query.interval,
        "group_by": list(query.group_by),
        "series": series(view, query),
    }
