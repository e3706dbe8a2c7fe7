"""The audit log for administrators: who changed or exported what, and when.

Next: query_service.routes.operations
"""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter

from query_service.audit_list import audit_entries, audit_query
from query_service.auth import Items, TenantAdmin
from query_service.params import AUDIT, LIMIT_DEFAULT, parse
from query_service.queries import read_days
from query_service.ranges import FIRST_DAY
from query_service.routes.report import documented
from query_service.view import look
from query_service.wiring import Wired

router = APIRouter(tags=["operations"])


@router.get("/audit", openapi_extra=documented(AUDIT))
def get_audit(wired: Wired, key: TenantAdmin, items: Items) -> dict[str, Any]:
    """Changes and exports with key, session, time and result; users are not named in it.

    An entry that stays `begun` was cut short: it may be done. Who was assigned what, by the
    `change` of an entry, is told by the feed of seat changes.
    """
    view = look(wired, key)
    parsed = parse(AUDIT, items)
    # Another process's clock may be a little ahead.
    days = read_days(parsed, start=FIRST_DAY, end=view.now.date() + timedelta(days=1))
    query = audit_query(parsed, days, view, limit=parsed.get("limit", LIMIT_DEFAULT))
    return audit_entries(view, query)
