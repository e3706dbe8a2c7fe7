"""The daily, weekly or monthly series over the same chosen rows as the report.

Next: query_service.routes.report
"""

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from query_service import answers
from query_service.queries import DailyQuery, query_parameters
from query_service.ranges import Range
from query_service.store import Row, Store, compose, question
from sinks.keys import Key

_STARTS = {
    "day": "daily.day",
    "week": "toMonday(daily.day)",
    "month": "toStartOfMonth(daily.day)",
}
_COLUMNS = {"team": "team_id", "product": "product_id", "access": "access"}


def series(
    store: Store, key: Key, query: DailyQuery, *, frequent: Fraction
) -> list[dict[str, Any]]:
    """An entry for each interval that touches R and each group with use in it, zeros included."""
    sql = compose(
        "daily",
        chosen=question("user_product_rows"),
        start=_STARTS[query.interval],
        groups="".join(f"daily.{_COLUMNS[name]} AS {_COLUMNS[name]}, " for name in query.group_by),
    )
    parameters = query_parameters(
        query,
        **store.user_ids(key, query.filters.users),
        frequent_from=query.range.frequent_from(frequent),
    )
    rows = store.ask(key, "daily", parameters, sql=sql)
    columns = [_COLUMNS[name] for name in query.group_by]
    found = {(row["start"], *(row[column] for column in columns)): row for row in rows}
    groups = sorted({place[1:] for place in found}) if columns else [()]
    return [
        _entry(query, (start, *group), found.get((start, *group)))
        for start in starts(query.range, query.interval)
        for group in groups
    ]


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


def _entry(query: DailyQuery, place: tuple[Any, ...], row: Row | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"start": place[0].isoformat()}
    for name, value in zip(query.group_by, place[1:], strict=True):
        if name != "access":
            entry[f"{name}_id"] = value
        # Without a directory the id stands for the name.
        entry[name] = value
    entry["launches"] = row["launches"] if row else 0
    entry["tokens_used"] = answers.tokens(row["tokens_used"]) if row else "0"
    entry["users"] = row["users"] if row else 0
    return entry
