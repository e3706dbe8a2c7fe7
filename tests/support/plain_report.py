"""The report computed from raw data, in plain Python: what the SQL must agree with.

It is written from the definitions alone. Its parts: tenant, seats, rows, series, tokens.
Next: query_service.report
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from query_service.columns import COLUMNS
from tests.support.plain_rows import Row, Rows, numbers
from tests.support.plain_tenant import Asked, Tenant

IDENTITY = {
    "user_product": ("hashed_user_id", "team_id", "product_id", "access"),
    "user": ("hashed_user_id",),
    "product": ("product_id",),
    "team": ("team_id",),
}
_PERSONAL = ("user_id", "first_name", "last_name", "email")
_NUMBERS = (
    *("days_used", "monthly_average", "launches", "tokens_used", "tokens_monthly_average"),
    *("last_accessed", "days_inactive"),
)
_SEATS = (
    *("seats_total", "seats_assigned", "seats_free", "seats_over"),
    *("seats_active", "seats_inactive"),
)
_OWN = {
    "user_product": tuple(n for n in COLUMNS if n not in {"users", "products", *_SEATS}),
    "user": (*_PERSONAL, "hashed_user_id", *_NUMBERS, "users", "products"),
    "product": ("product_id", "product", *_NUMBERS, "users", "products", *_SEATS),
    "team": ("team_id", "team", *_NUMBERS, "users", "products", *_SEATS),
}


def chosen_rows(tenant: Tenant, asked: Asked) -> list[Row]:
    """The finished user_product rows that the filters choose; null never matches."""
    return [
        row
        for row in Rows(tenant, asked).all()
        if all(row[column] in values for column, values in asked.chosen.items())
        and (asked.q is None or _is_found(row, asked.q))
    ]


def _is_found(row: Row, text: str) -> bool:
    name = " ".join(filter(None, (row["first_name"], row["last_name"])))
    places = (name.casefold(), (row["email"] or "").casefold())
    return bool(text) and any(text.casefold() in place for place in places)


def plain_report(tenant: Tenant, asked: Asked, by: str) -> list[Row]:
    """The rows of the grain, in no order."""
    rows = chosen_rows(tenant, asked)
    if by != "user_product":
        groups: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            groups[row[f"{by}_id"]].append(row)
        rows = [_gathered(tenant, asked, by, group) for group in groups.values()]
    return within_bounds(rows, asked)


def within_bounds(rows: Iterable[Row], asked: Asked) -> list[Row]:
    """Those with as many days and tokens as was asked for."""
    return [
        row
        for row in rows
        if asked.least_days <= row["days_used"] <= asked.most_days
        and asked.least_tokens <= row["tokens_used"] <= asked.most_tokens
    ]


def _gathered(tenant: Tenant, asked: Asked, by: str, group: list[Row]) -> Row:
    events, use, ever = ([e for row in group for e in row[n]] for n in ("events", "use", "ever"))
    seats = {} if by == "user" else seats_of(tenant, asked, group, by)
    return {
        **{name: group[0][name] for name in _OWN[by] if name in group[0]},
        **numbers(events, use, ever, asked),
        "users": len({row["user_id"] for row in group}),
        "products": len({row["product_id"] for row in group}),
        **{f"seats_{name}": value for name, value in seats.items()},
        "of": group,
    }


def seats_of(tenant: Tenant, asked: Asked, rows: list[Row], by: str | None = None) -> Row:
    """Seats bought for the team or product of the rows, or for all in view, and how they are."""
    total: dict[tuple[str, str], int] = defaultdict(int)
    for bought in valid_subscriptions(tenant, asked):
        if by is None or getattr(bought, f"{by}_id") == rows[0][f"{by}_id"]:
            total[bought.team_id, bought.product_id] += bought.seats
    held = [
        row
        for row in rows
        if row["seat"] == "assigned" and row["access"] == "subscription" and not row["via"]
    ]
    assigned: dict[tuple[str, str], int] = defaultdict(int)
    for row in held:
        assigned[row["team_id"], row["product_id"]] += 1
    left = [total[pair] - assigned[pair] for pair in {*total, *assigned}]
    return {
        "total": sum(total.values()),
        "assigned": len(held),
        "free": sum(seats for seats in left if seats > 0),
        "over": -sum(seats for seats in left if seats < 0),
        "active": sum(row["activity"] == "active" for row in held),
        "inactive": sum(row["activity"] == "inactive" for row in held),
    }


def valid_subscriptions(tenant: Tenant, asked: Asked) -> list[Any]:
    """The subscriptions in view that are valid at D(as_of)."""
    return [
        bought
        for bought in tenant.directory.subscriptions
        if not bought.deleted
        and bought.starts_on <= asked.as_of_day <= bought.ends_on
        and asked.views(bought.team_id, bought.product_id)
    ]


def ordered(rows: list[Row], sort: Iterable[str], by: str, *, shown: bool) -> list[Row]:
    """Sorted by `sort`, nulls last in both directions, ties by the row's identity."""
    rows = sorted(rows, key=lambda row: tuple(row[name] for name in IDENTITY[by]))
    for entry in reversed(list(sort)):
        name, descending = entry.removeprefix("-"), entry.startswith("-")
        columns = [name]
        if name == "user":
            columns = ["last_name", "first_name", "hashed_user_id"] if shown else ["hashed_user_id"]
        elif name == "hashed_user_id" and shown:
            columns = []
        for column in reversed(columns):
            rows = _sorted_by(rows, column, descending=descending)
    return rows


def _sorted_by(rows: list[Row], column: str, *, descending: bool) -> list[Row]:
    some = [row for row in rows if row.get(column) is not None]
    none = [row for row in rows if row.get(column) is None]
    # A reversed sort is stable too: ties stay in the order they came in.
    some.sort(key=lambda row: _sortable(row[column]), reverse=descending)
    return some + none


def _sortable(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def totals(rows: list[Row]) -> Row:
    """What the answer's `totals` say of these rows."""
    users = {part["user_id"] for row in rows for part in row.get("of", [row])}
    return {
        "rows": len(rows),
        "users": len(users),
        "launches": sum(row["launches"] for row in rows),
        "tokens_used": written(sum((row["tokens_used"] for row in rows), Decimal(0))),
    }


def answered(row: Row, by: str, *, shown: bool) -> Row:
    """A row as the answer has it: every column, null where the grain or the view has none."""
    hidden = {"hashed_user_id"} if shown else set(_PERSONAL)
    own = {name for name in _OWN[by] if name not in hidden}
    return {name: _written_in(name, row) if name in own else None for name in COLUMNS}


def _written_in(name: str, row: Row) -> Any:
    # Averages keep their decimals.
    return str(row[name]) if name.endswith("_average") else written(row[name])


def written(value: Any) -> Any:
    """A value as the answer has it."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        utc = value.astimezone(UTC)
        return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
    return value.isoformat() if isinstance(value, date) else value
