"""Reports and series: what was used, by whom, in a range.

Next: query_service.routes.operations
"""

from typing import Any

from fastapi import APIRouter

from query_service.answers import plain
from query_service.auth import Items, Reader
from query_service.completeness import complete_up_to
from query_service.params import DAILY, REPORT, Parameter
from query_service.privacy import decide
from query_service.queries import daily_query, report_query
from query_service.report import report
from query_service.series import series
from query_service.wiring import Wired

router = APIRouter(tags=["reports"])


def documented(parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    """The query parameters, for OpenAPI."""
    return {"parameters": [parameter.openapi() for parameter in parameters]}


@router.get("/report", openapi_extra=documented(REPORT))
def get_report(wired: Wired, key: Reader, items: Items) -> dict[str, Any]:
    """One page of a report, with totals over all its rows."""
    query = report_query(items, wired.now(), bound_to=(key.tenant, *sorted(key.teams)))
    complete = complete_up_to(wired.store, partitions=wired.settings.partitions)
    privacy = decide(wired.store, key, query.filters.teams)
    return {
        "range": query.range.describe(),
        **privacy.describe(),
        "complete_up_to": plain(complete),
        **report(wired.store, key, query, frequent=wired.frequent),
    }


@router.get("/daily", openapi_extra=documented(DAILY))
def get_daily(wired: Wired, key: Reader, items: Items) -> dict[str, Any]:
    """Launches, tokens and users by day, week or month."""
    query = daily_query(items, wired.now())
    complete = complete_up_to(wired.store, partitions=wired.settings.partitions)
    privacy = decide(wired.store, key, query.filters.teams)
    return {
        "range": query.range.describe(),
        **privacy.describe(),
        "complete_up_to": plain(complete),
        "interval": query.interval,
        "group_by": list(query.group_by),
        "series": series(wired.store, key, query, frequent=wired.frequent),
    }
