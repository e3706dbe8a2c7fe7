"""Taking seats back on the page: looked at first, done once, undone if wished.

Next: query_service.page.seats_page
"""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from query_service.page import advice, seats_page
from query_service.page.links import Address
from query_service.page.rendering import PageRoute, address, go_to, page
from query_service.page.seats_page import Asked
from query_service.problems import Problem
from query_service.routes.sign_in import Fields, Steward, check_form, field
from query_service.seat_changes import (
    change,
    find_request,
    finish_request,
    request_answer,
    undo_request,
)
from query_service.seat_filter import filter_query
from query_service.sessions import Session
from query_service.view import View, look
from query_service.wiring import Wired, Wiring

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.post("/seats")
def post_review(request: Request, wired: Wired, session: Steward, form: Fields) -> Response:
    """What would become of the seats; nothing is changed yet."""
    check_form(session, form)
    asked = seats_page.asked(address(request), form, dry_run=True)
    view = look(wired, session.key, asked.scope)
    asked, answer = _tried(view, wired, asked)
    return page(
        request,
        "seats_review.html",
        session=session,
        view=view.describe(),
        kind=asked.kind,
        kinds=seats_page.KINDS,
        fields=seats_page.hidden_fields(asked),
        back=asked.back,
        is_flex=asked.is_flex,
        flex_instead=_for_flex(view, asked) if asked.kind == "unassign" else 0,
        **seats_page.described(view, asked.kind, answer),
    )


def _tried(view: View, wired: Wiring, asked: Asked) -> tuple[Asked, dict[str, Any]]:
    """The dry run. The list may have changed since it was shown: it is told as it is now."""
    try:
        return asked, change(view, wired.now, asked.kind, asked.body)
    except Problem as problem:
        if problem.reason != "expected_users_differ" or not problem.errors[0].allowed:
            raise
        now = int(problem.errors[0].allowed[0])
    asked = replace(asked, body=asked.body.model_copy(update={"expected_users": now}))
    return asked, change(view, wired.now, asked.kind, asked.body)


def _for_flex(view: View, asked: Asked) -> int:
    """How many of the seats are used now and then, so that flex would do."""
    if asked.body.items is not None:
        return asked.occasional
    found = advice.read(view, filter_query(asked.body, view))
    return sum(row["seats"] for row in found if row["recommendation"] == "switch_to_flex")


@router.post("/seats/change")
def post_change(request: Request, wired: Wired, session: Steward, form: Fields) -> Response:
    """Change the seats, once, and show what became of them."""
    check_form(session, form)
    here = address(request)
    asked = seats_page.asked(here, form, dry_run=False)
    view = look(wired, session.key, asked.scope)
    answer = change(view, wired.now, asked.kind, asked.body)
    return go_to(_done(here, answer["request_id"], asked.back))


@router.post("/seats/undo")
def post_undo(request: Request, wired: Wired, session: Steward, form: Fields) -> Response:
    """Turn a change back, where nobody has changed the seat since."""
    check_form(session, form)
    here, request_id = address(request), field(form, "request_id")
    answer = undo_request(_view_of(wired, session, request_id), wired.now, request_id)
    return go_to(_done(here, answer["request_id"], here.inside(field(form, "back"))))


@router.post("/seats/finish")
def post_finish(request: Request, wired: Wired, session: Steward, form: Fields) -> Response:
    """Do what is left of a change that broke off: as sending it again would."""
    check_form(session, form)
    here, request_id = address(request), field(form, "request_id")
    finish_request(_view_of(wired, session, request_id), wired.now, request_id)
    return go_to(_done(here, request_id, here.inside(field(form, "back"))))


@router.get("/seats/done")
def get_done(request: Request, wired: Wired, session: Steward) -> Response:
    """What became of the seats of a request, with undo; a link to it changes nothing."""
    here = address(request)
    request_id = here.value("request")
    view = _view_of(wired, session, request_id)
    answer = request_answer(view, request_id)
    return page(
        request,
        "seats_done.html" if answer["is_final"] else "seats_unfinished.html",
        session=session,
        view=view.describe(),
        request_id=request_id,
        kind=answer["kind"],
        done=seats_page.DONE[answer["kind"]],
        back=here.inside(here.value("back")),
        **seats_page.described(view, answer["kind"], answer),
    )


def _done(here: Address, request_id: str, back: str) -> Address:
    return Address(here.root, "/seats/done").having(request=request_id, back=back)


def _view_of(wired: Wiring, session: Session, request_id: str) -> View:
    """The view that a request was asked in."""
    plan = find_request(wired.store, session.key, request_id).plan
    return look(wired, session.key, plan.teams)
