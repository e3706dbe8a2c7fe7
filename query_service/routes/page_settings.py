"""Settings on the page: entries of the directory, confirmed before they change; and keys.

Next: query_service.page.settings_page
"""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from query_service.directory import Reject
from query_service.page import settings_page
from query_service.page.links import Address
from query_service.page.rendering import PageRoute, address, go_to, page
from query_service.problems import Problem
from query_service.routes import keys as key_routes
from query_service.routes.sign_in import Administrator, Fields, Steward, check_form, field
from query_service.sessions import Session
from query_service.view import look
from query_service.wiring import Wired
from sinks.keys import SCOPES

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/settings")
def get_settings(request: Request, session: Steward) -> Response:
    """What there is to set."""
    return page(request, "settings.html", session=session, sections=settings_page.SECTIONS)


@router.get("/settings/keys")
def get_keys(request: Request, wired: Wired, session: Administrator) -> Response:
    """The keys of the tenant."""
    return _keys(request, wired, session, made=None)


def _keys(request: Request, wired: Wired, session: Session, *, made: str | None) -> Response:
    return page(
        request,
        "settings_keys.html",
        session=session,
        keys=key_routes.get_keys(wired, session.key)["keys"],
        scopes=SCOPES,
        made=made,
    )


@router.post("/settings/keys")
def post_key(request: Request, wired: Wired, session: Administrator, form: Fields) -> Response:
    """A new key, whose full text is shown this once."""
    check_form(session, form)
    teams = [part.strip() for part in field(form, "teams").split(",") if part.strip()]
    scopes = [value for name, value in form if name == "scope"]
    if not scopes:
        raise Problem(400, "invalid_parameters", "A key needs a scope: go back and tick one.")
    wanted = key_routes.NewKey(scopes=scopes, teams=teams)
    made = key_routes.post_key(wired, session.key, wanted)
    return _keys(request, wired, session, made=made["key"])


@router.post("/settings/keys/revoke")
def post_revoke(request: Request, wired: Wired, session: Administrator, form: Fields) -> Response:
    """Revoke a key for good: asked first, then done."""
    check_form(session, form)
    key_id = field(form, "key_id")
    if not field(form, "sure"):
        return page(request, "settings_revoke.html", session=session, key_id=key_id)
    key_routes.delete_key(wired, session.key, key_id)
    return go_to(Address(address(request).root, "/settings/keys"))


@router.get("/settings/{name}")
def get_section(request: Request, wired: Wired, session: Steward, name: str) -> Response:
    """The entries of a section, each with a form."""
    part, here = settings_page.section(name), address(request)
    view = look(wired, session.key)
    return page(
        request,
        "settings_section.html",
        session=session,
        part=part,
        may=not (session.key.teams and part.entity.whole_tenant),
        shown=settings_page.shown,
        saved=here.value("saved"),
        **settings_page.listed(view, part, here),
    )


@router.post("/settings/{name}")
def post_review(
    request: Request, wired: Wired, session: Steward, form: Fields, name: str
) -> Response:
    """What a form would change; nothing is changed yet."""
    part, entry = _asked(session, form, name)
    refused = settings_page.refusal(wired, session.key, part, entry)
    if refused:
        return _refused(request, session, part, refused)
    before = settings_page.stored(look(wired, session.key), part, entry)
    return page(
        request,
        "settings_review.html",
        session=session,
        part=part,
        deletes=bool(entry.get("deleted")),
        is_new=before is None,
        changes=settings_page.changes(part, before, entry),
        effect=settings_page.effect(part, before, entry),
        fields=[pair for pair in form if pair[0] != "csrf"],
    )


@router.post("/settings/{name}/save")
def post_save(
    request: Request, wired: Wired, session: Steward, form: Fields, name: str
) -> Response:
    """Change the entry, or say what is wrong with it."""
    part, entry = _asked(session, form, name)
    refused = settings_page.save(wired, session.key, part, entry)
    if refused is None:
        here = Address(address(request).root, f"/settings/{name}")
        return go_to(here.having(saved=str(entry[part.entity.ids[0]])))
    return _refused(request, session, part, refused)


def _asked(
    session: Session, form: Fields, name: str
) -> tuple[settings_page.Section, dict[str, Any]]:
    """The entry that a form holds, of a section that its sender may change."""
    check_form(session, form)
    part = settings_page.section(name)
    settings_page.check_may(session.key, part)
    return part, settings_page.read(part, form)


def _refused(
    request: Request, session: Session, part: settings_page.Section, why: Reject
) -> Response:
    """What is wrong with a form, by the label of its field."""
    asked = next((each.label for each in part.fields if each.name == why.field), None)
    return page(
        request,
        "settings_refused.html",
        session=session,
        status=400,
        part=part,
        label=asked,
        detail=why.detail,
    )
