"""The daily, weekly or monthly series over the same chosen rows as the report.

Next: query_service.routes.report
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from query_service import answers
from query_service.chosen import chosen, chosen_parameters
from query_service.filters import Filters
from query_service.queries import DailyQuery
from query_service.ranges import Range
from query_service.store import Row, compose, question
from query_service.view import View

_STARTS = {
    "day": "daily.day",
    "week": "toMonday(daily.day)",
    "month": "toStartOfMonth(daily.day)",
}
_COLUMNS = {"team": "team_id", "product": "product_id", "access": "access"}


def series(view: View, query: DailyQuery) -> list[dict[str, Any]]:
    """An entry for each interval that touches R and each group with use in it, zeros included."""
    sql = compose(
        "daily",
        chosen=chosen(query.filters, shown=view.shown),
        start=_STARTS[query.interval],
        groups="".join(f"daily.{_COLUMNS[name]} AS {_COLUMNS[name]}, " for name in query.group_by),
        of_collections=_of_collections() if _is_by_product(query) else "",
    )
    rows = view.store.ask(view.key, "daily", chosen_parameters(view, query), sql=sql)
    columns = [_COLUMNS[name] for name in query.group_by]
    found = {(row["start"], *(row[column] for column in columns)): row for row in rows}
    groups = sorted({place[1:] for place in found}) if columns else [()]
    names = _names(view) if columns else {}
    return [
        {
            "start": start.isoformat(),
            **_group(query, group, names),
            **_numbers(found.get((start, *group))),
        }
        for start in starts(query.range, query.interval)
        for group in groups
    ]


def _of_collections() -> str:
    return compose("daily_of_collections", used_days=question("used_days"))


def _is_by_product(query: DailyQuery) -> bool:
    """Whether a collection's row may be counted where those of its members are not.

    Else their users are the collection's, and to look for it would double the time.
    """
    asked = query.filters
    whole = Filters(teams=asked.teams, users=asked.users, access=asked.access, q=asked.q)
    return "product" in query.group_by or asked != whole


def _names(view: View) -> dict[tuple[str, str], str]:
    rows = view.store.ask(view.key, "names", {})
    return {(row["kind"], row["id"]): row["name"] for row in rows}


def starts(when: Range, interval: str) -> Iterator[date]:
    """First days of the intervals that touch R; that of the first may lie before R."""
    day = when.start
    if interval == "week":
        day -= timedelta(days=day.weekday())
    if interval == "month":
        day = day.replace(day=1)
    while day <= when.end:
        yield day
        day = _next(day, interval)


def _next(day: date, interval: str) -> date:
    if interval == "month":
        return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return day + timedelta(days=7 if interval == "week" else 1)


def _group(
    query: DailyQuery, group: tuple[str, ...], names: dict[tuple[str, str], str]
) -> dict[str, str]:
    """Team and product by id and by name; without a name the id stands for it."""
    entry = {}
    for kind, value in zip(query.group_by, group, strict=True):
        if kind != "access":
            entry[f"{kind}_id"] = value
        entry[kind] = names.get((kind, value), value)
    return entry


def _numbers(row: Row | None) -> dict[str, Any]:
    if row is None:
        return {"launches": 0, "tokens_used": "0", "users": 0}
    return {
        "launches": row["launches"],
        "tokens_used": answers.tokens(row["tokens_used"]),
        "users": row["users"],
    }
