"""Sign in with a key, and out again; who is signed in, for every page.

Next: query_service.routes.page
"""

import time
from collections.abc import Callable
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from query_service import sessions
from query_service.page.links import Address
from query_service.page.rendering import PageRoute, address, find_session, go_to, page
from query_service.problems import Problem
from query_service.sessions import Session
from query_service.wiring import Wired, Wiring

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Form = list[tuple[str, str]]


async def read_form(request: Request) -> Form:
    """A dependency: the fields of a form that a page of ours sent."""
    if not _is_ours(request):
        raise Problem(403, "forbidden", "This form was sent from another site.")
    body = await request.body()
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body))
    except ValueError as error:
        raise Problem(400, "invalid_parameters", "The form can't be read.") from error


def _is_ours(request: Request) -> bool:
    """Whether a page of ours sent this, as far as browsers say; a page of others has no business.

    Over plain HTTP they leave out Sec-Fetch-Site, except to this very machine, but not Origin.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    named = (request.headers.get(name, "") for name in ("host", "x-forwarded-host"))
    hosts = {host.lower() for host in named if host}
    return origin is None or origin.partition("://")[2].lower() in hosts


Fields = Annotated[Form, Depends(read_form)]


def field(form: Form, name: str) -> str:
    """The first value under a name; empty if there is none."""
    return next((value for given, value in form if given == name), "")


def signed_in(scope: str = "read") -> Callable[..., Session]:
    """A dependency: the session, whose key must hold `scope`."""

    def visitor(request: Request, wired: Wired) -> Session:
        session = find_session(request, wired)
        if session is None:
            raise Problem(401, "unauthorized", "Sign in first.")
        if not session.key.allows(scope):
            raise Problem(403, "forbidden", f"Your key does not hold the scope {scope}.")
        wired.limits.take(session.key.tenant, 1, time.monotonic())
        return session

    return visitor


def check_form(session: Session, form: Form) -> None:
    """Raise 403 unless the form was made for this session."""
    if not session.allows(field(form, "csrf")):
        raise Problem(
            403, "forbidden", "This form is of another session: go back and load it anew."
        )


Visitor = Annotated[Session, Depends(signed_in())]
Steward = Annotated[Session, Depends(signed_in("manage"))]
Administrator = Annotated[Session, Depends(signed_in("admin"))]


@router.get("/sign-in")
def get_sign_in(request: Request) -> Response:
    """The form."""
    return page(request, "sign_in.html", wrong="")


@router.post("/sign-in")
async def post_sign_in(request: Request, wired: Wired, form: Fields) -> Response:
    """Begin a session, and go on to where the visitor was going."""
    return await run_in_threadpool(_sign_in, request, wired, form)


def _sign_in(request: Request, wired: Wiring, form: Form) -> Response:
    token = field(form, "key").strip()
    key = wired.ring.find(token) or wired.ring.look_again(token)
    if key is None or not key.allows("read"):
        wrong = "This key is not valid." if key is None else "This key may not read reports."
        return page(request, "sign_in.html", wrong=wrong, status=401 if key is None else 403)
    here = address(request)
    answer = go_to(here.inside(here.value("next")))
    answer.set_cookie(
        sessions.COOKIE,
        sessions.begin(wired.store, key, wired.now()),
        max_age=sessions.LASTS_SECONDS,
        path=here.root or "/",
        httponly=True,
        # A link that a colleague sent must open; forms have their token.
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/sign-out")
def post_sign_out(request: Request, wired: Wired, form: Fields) -> Response:
    """Forget the session in this browser; one that is over is forgotten without its token."""
    session = find_session(request, wired)
    if session:
        check_form(session, form)
    root = address(request).root
    answer = go_to(Address(root, "/sign-in"))
    answer.delete_cookie(sessions.COOKIE, path=root or "/", httponly=True, samesite="lax")
    return answer
