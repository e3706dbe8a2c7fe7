"""Seats over HTTP: assign, unassign, move to flex, undo, and the feed of what changed.

Next: query_service.seat_changes
"""

from typing import Any

from fastapi import APIRouter, Depends

from query_service.auth import Items, no_items
from query_service.routes.directory import Manager
from query_service.routes.report import documented
from query_service.seat_bodies import ChangeSeats
from query_service.seat_changes import change, find_request, undo_request
from query_service.seat_feed import FEED, feed
from query_service.view import look
from query_service.wiring import Wired

router = APIRouter(tags=["seats"])
_NO_ITEMS = [Depends(no_items)]


@router.post("/unassign", dependencies=_NO_ITEMS)
def post_unassign(wired: Wired, key: Manager, body: ChangeSeats) -> dict[str, Any]:
    """Close the direct path of seats; those by group or default alone are skipped."""
    return change(look(wired, key, body.teams), wired.now, "unassign", body)


@router.post("/assign", dependencies=_NO_ITEMS)
def post_assign(wired: Wired, key: Manager, body: ChangeSeats) -> dict[str, Any]:
    """Open the direct path of seats, which are named one by one."""
    return change(look(wired, key, body.teams), wired.now, "assign", body)


@router.post("/move-to-flex", dependencies=_NO_ITEMS)
def post_move_to_flex(wired: Wired, key: Manager, body: ChangeSeats) -> dict[str, Any]:
    """Assign flex and unassign the subscription's seat: both or neither."""
    return change(look(wired, key, body.teams), wired.now, "move-to-flex", body)


@router.post("/changes/{request_id:path}/undo", dependencies=_NO_ITEMS)
def post_undo(wired: Wired, key: Manager, request_id: str) -> dict[str, Any]:
    """Turn back what a request changed, where nobody has changed it since."""
    plan = find_request(wired.store, key, request_id).plan
    return undo_request(look(wired, key, plan.teams), wired.now, request_id)


@router.get("/seat-changes", openapi_extra=documented(FEED))
def get_seat_changes(wired: Wired, key: Manager, items: Items) -> dict[str, Any]:
    """Every change of a seat, in the order stored, from `after` on; `next` is always there."""
    view = look(wired, key)
    return {**view.describe(), **feed(view, wired.now(), items)}
