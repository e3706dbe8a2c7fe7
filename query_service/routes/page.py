"""The pages of the report, of a user and of tokens; static files.

Next: query_service.page.report_page
"""

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from query_service.auth import Items
from query_service.page import advice, charts, filter_bar, report_page, user_page
from query_service.page.links import Address
from query_service.page.rendering import HEADERS, STATIC, PageRoute, address, go_to, page
from query_service.page.settings_page import SECTIONS
from query_service.params import TOKENS, parse
from query_service.problems import Problem
from query_service.queries import read_range
from query_service.ranges import DEFAULT_PRESET
from query_service.routes.events import get_events
from query_service.routes.sign_in import Administrator, Fields, Visitor, check_form, field
from query_service.seat_bodies import MAX_ITEMS
from query_service.tokens import tokens
from query_service.view import look
from query_service.wiring import Wired
from schemas.reports import EXTENSIONS

router = APIRouter(route_class=PageRoute, include_in_schema=False)

COOKIE_SECONDS = 365 * 86_400
_KINDS = {
    "csv": "CSV, for any program",
    "xlsx": "XLSX, a spreadsheet",
    "json": "JSON",
    "ndjson": "NDJSON, a row a line",
    "parquet": "Parquet",
}
EXPORTS = {extension: _KINDS[extension] for extension in EXTENSIONS}


@router.get("/")
def get_report_page(request: Request, wired: Wired, session: Visitor) -> Response:
    """Snapshot, filters, chart and rows."""
    here = address(request)
    clean = tidy(here)
    if clean != here:
        return go_to(clean)
    cookie = request.cookies.get(report_page.COLUMNS_COOKIE, "")
    known = report_page.gather(wired, session, here, cookie)
    return page(
        request,
        "report.html",
        session=session,
        presets=filter_bar.PRESETS,
        amounts=filter_bar.NUMBERS,
        measures=report_page.MEASURES,
        intervals=report_page.INTERVAL_WORDS,
        groups=report_page.GROUP_WORDS,
        exports=EXPORTS,
        most_at_once=MAX_ITEMS,
        period=advice.period(known["range"]),
        **known,
    )


def tidy(here: Address) -> Address:
    """The same without what a form leaves empty, and without the preset that is the default.

    A form sends a preset and dates: the one of them that is not as it was shown (`shown_preset`).
    """
    preset, dropped = here.value("preset"), {"shown_preset"}
    is_typed = preset == here.value("shown_preset") and (here.value("from") or here.value("to"))
    if preset and not is_typed:
        dropped |= {"from", "to"}
    if is_typed or preset == DEFAULT_PRESET:
        dropped.add("preset")
    kept = ((name, value) for name, value in here.pairs if value and name not in dropped)
    return Address(here.root, here.path, tuple(kept))


@router.post("/columns")
def post_columns(request: Request, session: Visitor, form: Fields) -> Response:
    """Remember in this browser which columns are shown."""
    check_form(session, form)
    grain = field(form, "by")
    chosen = tuple(value for name, value in form if name == "column")
    cookie = request.cookies.get(report_page.COLUMNS_COOKIE, "")
    kept = report_page.remember(cookie, grain, () if field(form, "reset") else chosen)
    answer = go_to(back(request, form))
    root = address(request).root
    answer.set_cookie(
        report_page.COLUMNS_COOKIE,
        kept,
        max_age=COOKIE_SECONDS,
        path=root or "/",
        httponly=True,
        samesite="lax",
    )
    return answer


def back(request: Request, form: Fields) -> str:
    """The page that a form was on: one of ours, whatever it says."""
    return address(request).inside(field(form, "back"))


@router.get("/users/{user:path}")
def get_user_page(
    request: Request, wired: Wired, session: Visitor, items: Items, user: str
) -> Response:
    """One user: what is used, what is assigned, and what to do about it."""
    here = address(request)
    known = user_page.gather(wired, session, here, user, items)
    return page(
        request, "user.html", session=session, back=here.inside(here.value("back")), **known
    )


@router.get("/tokens")
def get_tokens_page(request: Request, wired: Wired, session: Visitor, items: Items) -> Response:
    """Packs, what is left of them, and until when."""
    here = address(request)
    clean = tidy(here)
    if clean != here:
        return go_to(clean)
    view = look(wired, session.key, here.values("team"))
    parsed = parse(TOKENS, items)
    when = read_range(parsed, view.now)
    parsed.check()
    found = tokens(view, parsed.many("team"), when)
    return page(
        request,
        "tokens.html",
        session=session,
        view=view.describe(),
        range=when,
        presets=filter_bar.PRESETS,
        labels={each.name: each.label for each in SECTIONS["token_packs"].fields},
        tokens=found,
        chart=charts.burn_down(found["burn_down"], found["forecast"]),
    )


@router.get("/events")
def get_events_page(
    request: Request, wired: Wired, session: Administrator, items: Items
) -> Response:
    """The events behind a number."""
    found = get_events(wired, session.key, items)
    after = found["next_cursor"]
    return page(
        request,
        "events.html",
        session=session,
        view=found,
        events=found["events"],
        next=address(request).having(cursor=after) if after else None,
    )


@router.get("/static/{name}")
def get_static(name: str) -> Response:
    """A file of the page: kept by browsers, as its address changes with its content."""
    path = STATIC / name
    if path.parent != STATIC or not path.is_file():
        raise Problem(404, "not_found", "There is no such file.")
    kept = {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
    return FileResponse(path, headers=kept)
