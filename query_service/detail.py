"""The detail view: one user's rows, months and days, and what is recommended and why.

Next: query_service.routes.users
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from query_service import answers
from query_service.arithmetic import Price, arithmetic
from query_service.columns import COLUMNS, GRAINS, sort_keys
from query_service.filters import read_filters
from query_service.params import DETAIL, LIMIT_DEFAULT, parse
from query_service.problems import Problem
from query_service.queries import Items, ReportQuery, read_range
from query_service.ranges import Range
from query_service.report import report_parameters, report_sql, row_of
from query_service.series import starts
from query_service.store import Row, compose, question
from query_service.view import View

_GRAIN = GRAINS["user_product"]
# What identifies a row of one user, and a part of his use.
_KEY = ("team_id", "product_id", "access")
_IN_VIEW = (
    "user_id IN {user_ids:Array(String)}"
    " AND (empty({teams:Array(String)}) OR team_id IN {teams:Array(String)})"
)


@dataclass(frozen=True)
class DetailQuery:
    """One user's rows; `selected` is the product that the view is about, if any."""

    rows: ReportQuery
    selected: str | None

    @property
    def range(self) -> Range:
        """R and as_of."""
        return self.rows.range


def detail_query(user: str, items: Items, view: View) -> DetailQuery:
    """What the path and the query string ask for; raises Problem with all that is wrong.

    `user` is an id where names are shown, else a hash, as in the filter.
    """
    parsed = parse(DETAIL, items, shown=view.shown)
    when = read_range(parsed, view.now)
    parsed.check()
    rows = ReportQuery(
        range=when,
        filters=replace(read_filters(parsed), users=(user,)),
        grain=_GRAIN,
        keys=sort_keys(_GRAIN, _GRAIN.sort, shown=view.shown),
        columns=COLUMNS,
        limit=LIMIT_DEFAULT,
        after=None,
        fingerprint="",
    )
    return DetailQuery(rows, parsed.get("selected"))


def detail(view: View, query: DetailQuery) -> dict[str, Any]:
    """All parts of the view; raises Problem when there is no such user in it."""
    parameters = report_parameters(view, query.rows)
    places = _places(view, parameters)
    sql = report_sql(query.rows, shown=view.shown, whole=True, more=("days",))
    rows = view.store.ask(view.key, "detail", parameters, sql=sql)
    products = [row for row in rows if _is_about(query, row)]
    others = [row for row in rows if row["seat"] == "assigned" and row not in products]
    found = view.store.ask(view.key, "user_days", parameters)
    use = _use(found, products)
    return {
        "user": _person(view, parameters),
        "teams": _teams(places, rows),
        "products": [row_of(row, COLUMNS, shown=view.shown) for row in products],
        "other_assigned": [row_of(row, COLUMNS, shown=view.shown) for row in others],
        "months": _months(query.range, products, use),
        "daily": _daily(query.range, use),
        "uses": [_told(each) for each in _use(found, [*products, *_members(products, rows)])],
        **_last_accessed(places, query.range),
        "recommendations": _recommendations(view, query, parameters, rows),
    }


def _places(view: View, parameters: dict[str, Any]) -> list[Row]:
    """The teams in view that the user is known from."""
    sql = compose("places", uses=compose("uses", early=_IN_VIEW))
    places = view.store.ask(view.key, "places", parameters, sql=sql)
    if not places:
        raise Problem(404, "unknown_user", "There is no such user in this view.")
    return places


def _is_about(query: DetailQuery, row: Row) -> bool:
    if query.selected is None:
        return bool(row["days_used"])
    return bool(row["product_id"] == query.selected)


def _person(view: View, parameters: dict[str, Any]) -> dict[str, Any]:
    (user_id,) = parameters["user_ids"]
    names = dict.fromkeys(("first_name", "last_name", "email"))
    if view.shown:
        sql = compose("person", people=question("people_shown"))
        for row in view.store.ask(view.key, "person", parameters, sql=sql):
            names.update(row)
    return {**view.name(user_id), **names}


def _teams(places: Iterable[Row], rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The user's teams by name, and why each is one: member, assigned now, used in R."""
    reasons = {
        "member": {place["team_id"] for place in places if place["is_member"]},
        "assigned": {row["team_id"] for row in rows if row["seat"] == "assigned"},
        "used": {row["team_id"] for row in rows if row["days_used"]},
    }
    teams = [
        {
            "team_id": place["team_id"],
            "team": place["team"],
            "because": [why for why, found in reasons.items() if place["team_id"] in found],
        }
        for place in sorted(places, key=lambda each: (each["team"].casefold(), each["team_id"]))
    ]
    return [team for team in teams if team["because"]]


def _use(found: Iterable[Row], rows: Iterable[Row]) -> list[Row]:
    """Launches and tokens of these rows, by day."""
    keys = {_key(row) for row in rows}
    chosen = (each for each in found if _key(each) in keys)
    return sorted(chosen, key=lambda each: (each["day"], *_key(each)))


def _members(products: Iterable[Row], rows: Iterable[Row]) -> list[Row]:
    """The rows whose days these have as collections."""
    collections = {(row["team_id"], row["product_id"]) for row in products}
    return [row for row in rows if (row["team_id"], row["via"]) in collections]


def _told(use: Row) -> dict[str, Any]:
    """A day behind the days used: of one team, product and access."""
    return {
        "day": use["day"].isoformat(),
        **{name: use[name] for name in (*_KEY, "launches")},
        "tokens_used": answers.tokens(use["tokens"]),
    }


def _key(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in _KEY)


def _months(when: Range, products: Iterable[Row], use: Iterable[Row]) -> list[dict[str, Any]]:
    """Every month that R touches and every product of the view, zeros included.

    A collection has the days of its members.
    """
    days: dict[str, set[date]] = defaultdict(set)
    for row in products:
        days[row["product_id"]].update(row["days"])
    tokens: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for each in use:
        tokens[each["day"].replace(day=1), each["product_id"]] += each["tokens"]
    return [
        {
            "month": f"{month:%Y-%m}",
            "product_id": product_id,
            "days_used": sum(day.replace(day=1) == month for day in used),
            "tokens_used": answers.tokens(tokens[month, product_id]),
        }
        for month in starts(when, "month")
        for product_id, used in days.items()
    ]


def _daily(when: Range, use: Iterable[Row]) -> list[dict[str, Any]]:
    """Every day of R, zeros included."""
    launches: dict[date, int] = defaultdict(int)
    tokens: dict[date, Decimal] = defaultdict(Decimal)
    for each in use:
        launches[each["day"]] += each["launches"]
        tokens[each["day"]] += each["tokens"]
    return [
        {
            "day": day.isoformat(),
            "launches": launches[day],
            "tokens_used": answers.tokens(tokens[day]),
        }
        for day in starts(when, "day")
    ]


def _last_accessed(places: Iterable[Row], when: Range) -> dict[str, Any]:
    """The latest use of anything in the teams in view, also before R."""
    latest: datetime = max(place["seen_at"].replace(tzinfo=UTC) for place in places)
    if not latest.timestamp():
        return {"last_accessed": None, "days_inactive": None}
    inactive: timedelta = when.as_of_day - latest.date()
    return {"last_accessed": answers.plain(latest), "days_inactive": inactive.days}


def _recommendations(
    view: View, query: DetailQuery, parameters: dict[str, Any], rows: Iterable[Row]
) -> list[dict[str, Any]]:
    judged = [row for row in rows if row["recommendation"]]
    asked = {**parameters, "priced": sorted({row["product_id"] for row in judged})}
    found = view.store.ask(view.key, "prices_at", asked) if judged else []
    prices = {row["product_id"]: Price(**row) for row in found}
    return [
        {
            **{name: row[name] for name in ("product_id", "team_id", "access", "recommendation")},
            "arithmetic": arithmetic(
                row, prices.get(row["product_id"]), query.range, view.frequent
            ),
        }
        for row in judged
    ]
