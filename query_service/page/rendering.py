"""A page as an answer: its template, what every page knows, and what browsers may do with it.

Next: query_service.page.links
"""

import hashlib
import json
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jinja2
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, RedirectResponse

from query_service import sessions
from query_service.page import words
from query_service.page.filter_bar import SCOPE
from query_service.page.links import Address
from query_service.problems import Problem, document, headers_of, unavailable
from query_service.sessions import Session
from query_service.wiring import Wiring, wiring
from schemas.rejects import Unavailable

STATIC = Path(__file__).parents[1] / "static"
# Nothing from anywhere else, nothing inline, nowhere to be framed.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals["words"] = words


def versions() -> dict[str, str]:
    """Each static file and a mark of its content: browsers keep a file until it changes."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        for path in STATIC.iterdir()
        if path.is_file()
    }


_VERSIONS = versions()


def address(request: Request) -> Address:
    """Where the request went."""
    root: str = request.scope.get("root_path", "")
    # Decoded: an id in it may hold a question mark.
    path: str = request.scope["path"]
    return Address(root, path.removeprefix(root), tuple(request.query_params.multi_items()))


def page(
    request: Request,
    template: str,
    *,
    session: Session | None = None,
    status: int = 200,
    **known: Any,
) -> HTMLResponse:
    """The template filled in."""
    here = address(request)
    html = _TEMPLATES.get_template(template).render(
        here=here,
        scope=here.only(SCOPE),
        root=here.root,
        session=session,
        static=_static(here.root),
        **known,
    )
    return HTMLResponse(html, status, HEADERS)


def _static(root: str) -> Callable[[str], str]:
    return lambda name: f"{root}/static/{name}?v={_VERSIONS[name]}"


def go_to(place: Address | str) -> RedirectResponse:
    """After a form: another page, asked for with GET."""
    return RedirectResponse(str(place), 303, HEADERS)


class PageRoute(APIRoute):
    """A route that answers with a page, also when something is wrong."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with its failures as pages."""
        handle = super().get_route_handler()

        async def handle_or_tell(request: Request) -> Response:
            try:
                return await handle(request)
            except (Problem, Unavailable, RequestValidationError) as error:
                return _told(request, error, await _way_back(request))

        return handle_or_tell


async def _way_back(request: Request) -> str:
    """The page that an address or a form says it came from, if it is one of ours; or nothing."""
    here = address(request)
    wanted = here.value("back")
    if request.method == "POST":
        with suppress(ClientDisconnect):
            body = await request.body()
            wanted = dict(parse_qsl(body.decode(errors="replace"))).get("back", "")
    return here.inside(wanted) if wanted else ""


def _told(
    request: Request, error: Problem | Unavailable | RequestValidationError, back: str
) -> Response:
    here = address(request)
    if isinstance(error, Unavailable):
        error = unavailable(error)
    if isinstance(error, RequestValidationError):
        error = Problem(400, "invalid_parameters", "The form was not filled in as it must be.")
    if error.status == 401:
        # A form is not sent again by itself: its page is where it is.
        wanted = str(here) if request.method == "GET" else back or f"{here.root}/"
        return go_to(Address(here.root, "/sign-in").having(next=wanted))
    wiring(request).metrics.query_errors.labels(reason=error.reason).inc()
    return _problem(request, error, known_session(request), back)


def refuse(request: Request, problem: Problem) -> Response:
    """What is wrong, as a page for whoever reads pages, else as a problem document."""
    is_page = not address(request).path.startswith(("/v1/", "/health/"))
    if is_page and "text/html" in request.headers.get("accept", ""):
        session = known_session(request)
        if problem.status == 404:
            # No route has asked who it is; the handlers of such errors run in threads.
            with suppress(Unavailable):
                session = find_session(request, wiring(request))
        return _problem(request, problem, session)
    return document(problem)


def find_session(request: Request, wired: Wiring) -> Session | None:
    """Who is signed in, if anybody; remembered for the page that tells what is wrong."""
    cookie = request.cookies.get(sessions.COOKIE)
    found = sessions.find(wired.store, wired.ring, cookie, wired.now()) if cookie else None
    request.state.session = found
    return found


def known_session(request: Request) -> Session | None:
    """Who is signed in, if that was looked up."""
    session: Session | None = getattr(request.state, "session", None)
    return session


def _problem(
    request: Request, problem: Problem, session: Session | None, back: str = ""
) -> Response:
    # A form that failed is sent again from its page, not by a link.
    here = address(request) if request.method == "GET" else None
    answer = page(
        request,
        "problem.html",
        session=session,
        status=problem.status,
        problem=problem,
        again=here,
        kept=_without(here, problem) if here else None,
        back=back,
    )
    answer.headers.update(headers_of(problem))
    return answer


def _without(here: Address, problem: Problem) -> Address | None:
    """The address without what is wrong in it, if that leaves something out."""
    wrong = {error.parameter for error in problem.errors}
    kept = here.only(name for name, _ in here.pairs if name not in wrong)
    return kept if kept != here else None


def _seat_value(seat: Mapping[str, str]) -> str:
    """What a box stands for, as the form brings it back."""
    return json.dumps(seat, sort_keys=True, ensure_ascii=False)


_TEMPLATES.filters["seat"] = _seat_value
