"""Settings on the page: entries of the directory, confirmed before they change; and keys.

Next: query_service.page.settings_page
"""

from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import Response

from query_service.directory import Reject
from query_service.page import settings_change, settings_page
from query_service.page.links import Address
from query_service.page.rendering import PageRoute, address, go_to, page
from query_service.problems import Problem
from query_service.routes import keys as key_routes
from query_service.routes.sign_in import Administrator, Fields, Steward, check_form, field
from query_service.sessions import Session
from query_service.view import View, look
from query_service.wiring import Wired, Wiring
from sinks.keys import SCOPES

KEY_ID_CHARS = 16

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/settings")
def get_settings(request: Request, wired: Wired, session: Steward) -> Response:
    """What there is to set."""
    view = look(wired, session.key)
    return _page(request, "settings.html", session, view, sections=settings_page.SECTIONS)


def _page(
    request: Request, template: str, session: Session, view: View, status: int = 200, **known: Any
) -> Response:
    """A page of settings, which says as all others do how far the numbers are complete."""
    return page(request, template, session=session, status=status, view=view.describe(), **known)


@router.get("/settings/keys")
def get_keys(request: Request, wired: Wired, session: Administrator) -> Response:
    """The keys of the tenant."""
    return _keys(request, wired, session)


def _keys(
    request: Request,
    wired: Wired,
    session: Session,
    *,
    status: int = 200,
    made: str | None = None,
    made_before: str | None = None,
) -> Response:
    return _page(
        request,
        "settings_keys.html",
        session,
        look(wired, session.key),
        status,
        keys=key_routes.get_keys(wired, session.key)["keys"],
        scopes=SCOPES,
        made=made,
        made_before=made_before,
        # The form that is sent again makes no second key.
        once=uuid4().hex,
    )


@router.post("/settings/keys")
def post_key(request: Request, wired: Wired, session: Administrator, form: Fields) -> Response:
    """A new key, whose full text is shown this once; the same form makes no other."""
    check_form(session, form)
    if not field(form, "once"):
        raise Problem(400, "invalid_parameters", "The form can't be read: load it anew.")
    key_id = session.mark(f"key {field(form, 'once')}")[:KEY_ID_CHARS]
    try:
        made = key_routes.make_key(wired, session.key, _new_key(form), key_id)
    except Problem as problem:
        if problem.reason != key_routes.EXISTS:
            raise
        return _keys(request, wired, session, status=problem.status, made_before=key_id)
    return _keys(request, wired, session, made=made["key"])


def _new_key(form: Fields) -> key_routes.NewKey:
    teams = [part.strip() for part in field(form, "teams").split(",") if part.strip()]
    scopes = [value for name, value in form if name == "scope"]
    if not scopes:
        raise Problem(400, "invalid_parameters", "A key needs a scope: go back and tick one.")
    try:
        return key_routes.NewKey(scopes=scopes, teams=teams)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)[0]
        detail = f"{wrong['loc'][0]}: {wrong['msg']}. Go back to mend it."
        raise Problem(400, "invalid_parameters", detail) from error


@router.post("/settings/keys/revoke")
def post_revoke(request: Request, wired: Wired, session: Administrator, form: Fields) -> Response:
    """Revoke a key for good: asked first, then done."""
    check_form(session, form)
    key_id = field(form, "key_id")
    if not field(form, "sure"):
        view = look(wired, session.key)
        return _page(request, "settings_revoke.html", session, view, key_id=key_id)
    key_routes.delete_key(wired, session.key, key_id)
    return go_to(Address(address(request).root, "/settings/keys"))


@router.get("/settings/{name}")
def get_section(request: Request, wired: Wired, session: Steward, name: str) -> Response:
    """The entries of a section, each with a form."""
    part, here = settings_page.section(name), address(request)
    view = look(wired, session.key)
    return _page(
        request,
        "settings_section.html",
        session,
        view,
        part=part,
        may=not (session.key.teams and part.entity.whole_tenant),
        shown=settings_page.shown,
        saved=_saved(session, name, here),
        **settings_page.listed(view, part, here),
    )


def _saved(session: Session, name: str, here: Address) -> str:
    """What was saved a moment ago: told where it was this session's doing, whoever wrote a link."""
    saved = here.value("saved")
    return saved if session.said(f"{name} {saved}", here.value("said")) else ""


@router.post("/settings/{name}")
def post_review(
    request: Request, wired: Wired, session: Steward, form: Fields, name: str
) -> Response:
    """What a form would change; nothing is changed yet."""
    part, entry = _asked(session, form, name)
    refused = settings_page.refusal(wired, session.key, part, entry)
    if refused:
        return _refused(request, wired, session, part, refused)
    view = look(wired, session.key)
    before = settings_page.stored(view, part, entry)
    changed = settings_change.changes(part, before, entry)
    return _page(
        request,
        "settings_review.html",
        session,
        view,
        part=part,
        deletes=bool(entry.get("deleted")),
        is_new=before is None,
        changes=changed,
        effect=settings_change.effect(part, before, entry, wired.settings.privacy_scope),
        fields=settings_change.reviewed(part, before, entry, changed),
    )


@router.post("/settings/{name}/save")
def post_save(
    request: Request, wired: Wired, session: Steward, form: Fields, name: str
) -> Response:
    """Change what was reviewed and nothing else, or say what is wrong with it."""
    part, asked = _asked(session, form, name)
    entry = settings_change.named_alone(part, asked, form)
    refused = settings_page.refusal(wired, session.key, part, entry)
    if refused:
        return _refused(request, wired, session, part, refused)
    before = settings_page.stored(look(wired, session.key), part, entry)
    # A form that is sent twice finds it done.
    if not settings_change.is_there(part, before, entry):
        if settings_change.mark(before) != field(form, "seen"):
            return _changed_since(request, wired, session, part)
        refused = settings_page.save(wired, session.key, part, entry)
    if refused:
        return _refused(request, wired, session, part, refused)
    saved = str(entry[part.entity.ids[0]])
    there = Address(address(request).root, f"/settings/{name}")
    return go_to(there.having(saved=saved, said=session.mark(f"{name} {saved}")))


def _asked(
    session: Session, form: Fields, name: str
) -> tuple[settings_page.Section, dict[str, Any]]:
    """The entry that a form holds, of a section that its sender may change."""
    check_form(session, form)
    part = settings_page.section(name)
    settings_page.check_may(session.key, part)
    return part, settings_page.read(part, form)


def _refused(
    request: Request, wired: Wiring, session: Session, part: settings_page.Section, why: Reject
) -> Response:
    """What is wrong with a form, by the label of its field."""
    asked = next((each.label for each in part.fields if each.name == why.field), None)
    return _page(
        request,
        "settings_refused.html",
        session,
        look(wired, session.key),
        400,
        part=part,
        label=asked,
        detail=why.detail,
        again=False,
    )


def _changed_since(
    request: Request, wired: Wiring, session: Session, part: settings_page.Section
) -> Response:
    """An entry that is no longer the one that was reviewed stays as it is."""
    return _page(
        request,
        "settings_refused.html",
        session,
        look(wired, session.key),
        409,
        part=part,
        label=None,
        detail=f"Somebody changed this {part.one} since you looked at it.",
        again=True,
    )
