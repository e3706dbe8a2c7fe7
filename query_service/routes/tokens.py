"""Token packs: what was bought, used and is left.

Next: query_service.routes.operations
"""

from typing import Any

from fastapi import APIRouter

from query_service.auth import Items, Reader
from query_service.params import TOKENS, parse
from query_service.queries import read_range
from query_service.routes.report import documented
from query_service.tokens import tokens
from query_service.view import asked_teams, look
from query_service.wiring import Wired

router = APIRouter(tags=["reports"])


@router.get("/tokens", openapi_extra=documented(TOKENS))
def get_tokens(wired: Wired, key: Reader, items: Items) -> dict[str, Any]:
    """Token packs, their balance at as_of, the burn-down over the range, and a forecast.

    Seen by `team`: its packs and those that are shared by all teams. `remaining` of a pack that has
    ended is what expired unused; a day's `remaining` is what is left at its end in the packs that
    are active on it. The forecast goes on with every team's average of the last 30 days, until
    nothing is left, or the last pack ends, or for 367 days.
    """
    view = look(wired, key, asked_teams(items))
    parsed = parse(TOKENS, items, shown=view.shown)
    when = read_range(parsed, view.now)
    parsed.check()
    return {
        "range": when.describe(),
        **view.describe(),
        **tokens(view, parsed.many("team"), when),
    }
