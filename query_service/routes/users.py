"""The detail view of one user.

Next: query_service.routes.operations
"""

from typing import Any

from fastapi import APIRouter

from query_service.auth import Items, Reader
from query_service.detail import detail, detail_query
from query_service.params import DETAIL
from query_service.routes.report import documented
from query_service.view import asked_teams, look
from query_service.wiring import Wired

router = APIRouter(tags=["reports"])


# An id may hold slashes.
@router.get("/users/{user:path}", openapi_extra=documented(DETAIL))
def get_user(wired: Wired, key: Reader, items: Items, user: str) -> dict[str, Any]:
    """One user, by id where personal data is shown, else by hashed id; the other kind is unknown.

    `products` are the rows of the selected product, or of all that were used in the range;
    `other_assigned` every other current assignment. `months` and `daily` add up `products`.
    `last_accessed` is over everything retained of the teams in view. Filters choose rows, as in the
    report. Each recommendation comes with its arithmetic in words.
    """
    view = look(wired, key, asked_teams(items))
    query = detail_query(user, items, view)
    return {"range": query.range.describe(), **view.describe(), **detail(view, query)}
