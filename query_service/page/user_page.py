"""What a user's page shows: the detail view in words.

Next: query_service.detail
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from query_service.auth import Items
from query_service.detail import detail, detail_query
from query_service.page import charts, words
from query_service.page.links import Address
from query_service.sessions import Session
from query_service.view import look
from query_service.wiring import Wiring

MOST_LISTED = 400


def gather(
    wired: Wiring, session: Session, here: Address, user: str, items: Items
) -> dict[str, Any]:
    """All that the page shows; raises Problem when there is no such user in the view."""
    view = look(wired, session.key, here.values("team"))
    query = detail_query(user, [item for item in items if item[0] != "back"], view)
    found = detail(view, query)
    return {
        "view": view.describe(),
        "shown": view.shown,
        "range": query.range,
        "detail": found,
        "selected": query.selected,
        "name": words.person(found["user"]) or found["user"]["hashed_user_id"],
        "events_link": _events(wired, session, here, found["user"]),
        "months": _months(found["months"]),
        # The latest first, as many as a page bears.
        "uses": found["uses"][: -MOST_LISTED - 1 : -1],
        "left_out": max(0, len(found["uses"]) - MOST_LISTED),
        "teams": {each["team_id"]: each["team"] for each in found["teams"]},
        "names": _names(found),
        "daily": charts.over_time(
            [{**entry, "start": entry["day"], "users": 0} for entry in found["daily"]],
            measure="launches",
            group="",
            when=query.range,
        ),
    }


def _events(
    wired: Wiring, session: Session, here: Address, user: Mapping[str, Any]
) -> Address | None:
    """Where the events behind the numbers are, for those who may see them."""
    if not session.key.allows("admin"):
        return None
    # Events are listed over all teams: where these hide names, nobody is found by a name.
    if user["user_id"] and not look(wired, session.key).shown:
        return None
    named = user["user_id"] or user["hashed_user_id"]
    return here.at("/events").only(()).having(user=named)


def _names(found: Mapping[str, Any]) -> dict[str, str]:
    return {
        row["product_id"]: row["product"] for row in (*found["products"], *found["other_assigned"])
    }


def _months(entries: list[dict[str, Any]]) -> dict[str, tuple[tuple[str, int, int, str], ...]]:
    """For each product its months: name, days used, shade from 0 to 4, tokens used."""
    strips: dict[str, list[tuple[str, int, int, str]]] = {}
    for entry in entries:
        month = words.month(date.fromisoformat(f"{entry['month']}-01"))
        days = entry["days_used"]
        shade = 0 if not days else min(4, 1 + days // 6)
        strips.setdefault(entry["product_id"], []).append(
            (month, days, shade, entry["tokens_used"])
        )
    return {product: tuple(months) for product, months in strips.items()}
