"""The series of launches, tokens and users by day, week or month, in plain Python.

Next: tests.support.plain_report
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.support.plain_report import chosen_rows, within_bounds, written
from tests.support.plain_rows import Row
from tests.support.plain_tenant import Asked, Tenant

_COLUMNS = {"team": "team_id", "product": "product_id", "access": "access"}


def plain_series(
    tenant: Tenant, asked: Asked, interval: str, group_by: list[str]
) -> list[dict[str, Any]]:
    """An entry for each interval that touches R and each group used in R."""
    rows = [row for row in within_bounds(chosen_rows(tenant, asked), asked) if row["use"]]
    columns = [_COLUMNS[name] for name in ("team", "product", "access") if name in group_by]
    groups: dict[tuple[str, ...], list[Row]] = {} if columns else {(): []}
    for row in rows:
        groups.setdefault(tuple(row[column] for column in columns), []).append(row)
    days = [asked.start + timedelta(days=n) for n in range((asked.end - asked.start).days + 1)]
    return [
        {"start": str(start), **_named(group[0], group_by), **_numbers(group, start, interval)}
        if columns
        else {"start": str(start), **_numbers(group, start, interval)}
        for start in sorted({begin(day, interval) for day in days})
        for _, group in sorted(groups.items())
    ]


def begin(day: date, interval: str) -> date:
    """The first day of its interval; weeks start on Monday."""
    if interval == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if interval == "month" else day


def _named(row: Row, group_by: list[str]) -> dict[str, str]:
    named = {}
    for name in group_by:
        named[_COLUMNS[name]] = row[_COLUMNS[name]]
        named[name] = row[name]
    return named


def _numbers(group: list[Row], start: date, interval: str) -> dict[str, Any]:
    events = [e for row in group for e in row["events"] if begin(e.day, interval) == start]
    users = {e.user_id for row in group for e in row["use"] if begin(e.day, interval) == start}
    return {
        "launches": sum(event.launches for event in events),
        "tokens_used": written(sum((event.tokens for event in events), Decimal(0))),
        "users": len(users),
    }
