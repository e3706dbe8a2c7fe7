"""What the report's page shows, gathered from the same functions that answer JSON.

Next: query_service.routes.page
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from query_service.columns import COLUMNS, GRAINS
from query_service.page import advice, charts, columns_cookie, filter_bar, words
from query_service.page.links import Address
from query_service.page.reading import read_rows
from query_service.page.seats_page import tickable
from query_service.params import GROUPS, INTERVALS
from query_service.queries import DailyQuery, ReportQuery, daily_query, report_query
from query_service.ranges import Range
from query_service.report import Page as ReportPage
from query_service.report import row_of
from query_service.series import series, starts
from query_service.sessions import Session
from query_service.store import Row
from query_service.view import View, look
from query_service.wiring import Wiring

COLUMNS_COOKIE = "usage_columns"
ROWS_A_PAGE = "50"
GRAIN_WORDS = {
    "user_product": "Users and products",
    "user": "Users",
    "product": "Products",
    "team": "Teams",
}
MEASURES = {name: words.label(name) for name in ("launches", "tokens_used", "users")}
INTERVAL_WORDS = {"day": "Day", "week": "Week", "month": "Month"}
GROUP_WORDS = {
    "": "All together",
    "product": "By product",
    "team": "By team",
    "access": "By access",
}
# The parameters of the chart alone.
CHART = ("interval", "group_by", "measure")
_DAYS_BY_DAY, _DAYS_BY_WEEK = 31, 190
# Enough to tell users apart in a list; the user's page has the whole hash.
_HASH_CHARS = 12
# The user's columns are one cell, and so are an id and its name.
_PEOPLE = ("user_id", "first_name", "last_name", "email", "hashed_user_id")
_IDS = {"team_id", "product_id"}
DEFAULT = {
    "user_product": (
        *("user", "team", "product", "access", "seat", "frequency", "days_used"),
        *("recommendation", "activity", "monthly_average", "tokens_used", "last_accessed"),
    ),
    "user": (
        *("user", "products", "days_used", "monthly_average", "launches", "tokens_used"),
        *("last_accessed", "days_inactive"),
    ),
    "product": (
        *("product", "users", "seats_total", "seats_assigned", "seats_free", "seats_over"),
        *("seats_active", "seats_inactive", "days_used", "launches", "tokens_used"),
    ),
    "team": (
        *("team", "users", "products", "seats_total", "seats_assigned", "seats_free"),
        *("seats_over", "days_used", "launches", "tokens_used"),
    ),
}


@dataclass(frozen=True)
class Heading:
    """A column of the table; `order` is what it is sorted by now, as aria-sort has it."""

    name: str
    label: str
    order: str
    link: Address
    is_number: bool


@dataclass(frozen=True)
class Line:
    """A row of the table as it is shown; `seat` is what its box stands for, if it has one."""

    cells: Mapping[str, Any]
    user: str | None
    link: Address | None
    seat: Mapping[str, str] | None
    why_not: str
    months: tuple[tuple[str, int, int], ...]
    share: int


def columns_of(grain: str) -> tuple[str, ...]:
    """What can be shown of a grain's rows, in the report's order."""
    own = GRAINS[grain].columns
    shown = [name for name in COLUMNS if name in own and name not in {*_PEOPLE, *_IDS}]
    return ("user", *shown) if "hashed_user_id" in own else tuple(shown)


def gather(wired: Wiring, session: Session, here: Address, cookie: str) -> dict[str, Any]:
    """All that the page shows; raises Problem with what is wrong in the address."""
    view = look(wired, session.key, here.values("team"))
    query = _report_query(here, view)
    answers = _ask(view, query, here)
    return {
        "view": view.describe(),
        "shown": view.shown,
        "range": query.range,
        "snapshot": answers["snapshot"],
        "advice": advice.advice(answers["advice"], answers["snapshot"], query.range, here),
        "choices": filter_bar.choices(here, answers["options"]),
        "chips": filter_bar.chips(here, answers["options"], query.range),
        "flex_first": _is_about_flex(here),
        **_chart(answers.get("series"), here, query.range),
        **_table(answers["page"], query, here, view, cookie),
    }


def _report_query(here: Address, view: View) -> ReportQuery:
    asked = [pair for pair in here.pairs if pair[0] not in {*CHART, "columns"}]
    if not here.values("limit"):
        asked.append(("limit", ROWS_A_PAGE))
    return report_query(asked, view)


def _ask(view: View, query: ReportQuery, here: Address) -> dict[str, Any]:
    """The answers to all questions of the page; that of the chart is asked beside the others."""
    questions: dict[str, Callable[[], Any]] = {"rows": lambda: read_rows(view, query)}
    if any(here.value(name) for name in CHART):
        chart = _chart_query(here, view, query.range)
        questions["series"] = lambda: series(view, chart)
    answers = _at_once(questions)
    return {**answers, **answers["rows"]}


def _table(
    page: ReportPage, query: ReportQuery, here: Address, view: View, cookie: str
) -> dict[str, Any]:
    """The rows, and what stands over and under them."""
    grain = query.grain.name
    columns = _columns(grain, here, cookie)
    return {
        "grain": grain,
        "grains": {
            name: (text, here.having(by=name).lacking("sort").lacking("columns"))
            for name, text in GRAIN_WORDS.items()
        },
        "headings": list(_headings(grain, columns, here)),
        "all_columns": columns_of(grain),
        "columns": columns,
        "lines": [_line(row, grain, here, view, query.range) for row in page.rows],
        "totals": page.totals,
        "next": here.having(cursor=page.next_cursor) if page.next_cursor else None,
        "first": here.lacking("cursor") if here.values("cursor") else None,
    }


def _chart(entries: list[dict[str, Any]] | None, here: Address, when: Range) -> dict[str, Any]:
    """What is drawn over time; without `entries` how it is asked for."""
    measure, group = _measure(here), _group(here)
    return {
        "measure": measure,
        "interval": _interval(here, when),
        "group": group,
        "chart": None
        if entries is None
        else charts.over_time(entries, measure=measure, group=group, when=when),
        "series": entries,
    }


def _at_once(questions: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """The answers to questions that are asked at once; the first failure is raised."""
    with ThreadPoolExecutor(len(questions)) as pool:
        asked = {name: pool.submit(ask) for name, ask in questions.items()}
        return {name: answer.result() for name, answer in asked.items()}


def _columns(grain: str, here: Address, cookie: str) -> tuple[str, ...]:
    """Those of the address, else those that this browser remembers, else the default ones."""
    # As the API has them, with commas, or as a link of the page.
    asked = here.value("columns").replace(",", ".").split(".")
    named = tuple(name for name in asked if name in columns_of(grain))
    return named or columns_cookie.read(cookie, _there()).get(grain) or DEFAULT[grain]


def remember(cookie: str, grain: str, columns: tuple[str, ...]) -> str:
    """The cookie that says which columns this browser shows of each grain; raises Problem."""
    return columns_cookie.write(cookie, grain, columns, _there())


def _there() -> dict[str, tuple[str, ...]]:
    return {grain: columns_of(grain) for grain in GRAINS}


def _headings(grain: str, columns: tuple[str, ...], here: Address) -> Iterator[Heading]:
    first = (here.value("sort") or ",".join(GRAINS[grain].sort)).split(",")[0]
    for name in columns:
        falling = first == f"-{name}"
        rising = first == name
        order = "descending" if falling else "ascending" if rising else "none"
        # Numbers and dates are wanted largest first, words from A on.
        downwards = name in {*words.NUMBERS, *words.TIMES}
        next_sort = name if falling or not (downwards or rising) else f"-{name}"
        yield Heading(
            name, words.label(name), order, here.having(sort=next_sort), name in words.NUMBERS
        )


def _line(row: Row, grain: str, here: Address, view: View, when: Range) -> Line:
    cells = row_of(row, GRAINS[grain].columns, shown=view.shown)
    user = cells.get("user_id") or cells.get("hashed_user_id")
    months = list(starts(when, "month"))
    seat, why_not = tickable(cells) if grain == "user_product" else (None, "")
    return Line(
        cells=cells,
        user=_named(cells) if user else None,
        link=_link(cells, grain, here, user),
        seat=seat,
        why_not=why_not,
        months=charts.spark(row["days"], months) if grain == "user_product" else (),
        share=round(100 * cells["days_used"] / when.days),
    )


def _named(cells: Mapping[str, Any]) -> str:
    """The user as people know them: a name, else what stands for one."""
    return words.person(cells) or f"{cells['hashed_user_id'][:_HASH_CHARS]}…"


def _link(cells: Mapping[str, Any], grain: str, here: Address, user: str | None) -> Address | None:
    """Where a row leads: to the user, or to the rows that it gathers."""
    if user:
        kept = here.only(filter_bar.SCOPE)
        selected = cells.get("product_id") or ""
        return kept.at(f"/users/{user}").having(selected=selected, back=str(here))
    name = f"{grain}_id"
    if name not in cells:
        return None
    # Amounts were those of the row that is opened, not of the rows in it.
    inner = here.having(by="", sort="", **dict.fromkeys(filter_bar.NUMBERS, ""))
    return inner.having(**{grain: cells[name]})


def _is_about_flex(here: Address) -> bool:
    """Whether what is listed are users who use a product now and then: flex is offered first."""
    return here.values("frequency") == ("occasional",) or here.values("recommendation") == (
        "switch_to_flex",
    )


def _interval(here: Address, when: Range) -> str:
    """What is asked for, else what gives a chart a few dozen bars."""
    if here.value("interval") in INTERVALS:
        return here.value("interval")
    return "day" if when.days <= _DAYS_BY_DAY else "week" if when.days <= _DAYS_BY_WEEK else "month"


def _group(here: Address) -> str:
    return here.value("group_by") if here.value("group_by") in GROUPS else ""


def _measure(here: Address) -> str:
    return here.value("measure") if here.value("measure") in MEASURES else "launches"


def _chart_query(here: Address, view: View, when: Range) -> DailyQuery:
    chosen_rows = here.only((*filter_bar.NAMES, *filter_bar.RANGE)).pairs
    asked = [*chosen_rows, ("interval", _interval(here, when))]
    if group := _group(here):
        asked.append(("group_by", group))
    return daily_query(asked, view)
