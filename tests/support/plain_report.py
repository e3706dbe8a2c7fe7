"""The report computed from the events alone, in plain Python: what the SQL must agree with.

Next: query_service.report
"""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

IDENTITY = {
    "user_product": ("hashed_user_id", "team_id", "product_id", "access"),
    "user": ("hashed_user_id",),
    "product": ("product_id",),
    "team": ("team_id",),
}
_GATHERED_BY = {"user": "user_id", "product": "product_id", "team": "team_id"}


@dataclass(frozen=True)
class Event:
    """A counted event."""

    user_id: str
    time: datetime
    team_id: str
    product_id: str
    access: str
    version: str
    tokens: Decimal

    @property
    def day(self) -> date:
        """Its UTC day."""
        return self.time.date()

    @property
    def launches(self) -> int:
        """1 for a launch."""
        return 0 if self.tokens else 1


@dataclass(frozen=True)
class Asked:
    """R, as_of, the filters (column: values) and the bounds on the rows shown."""

    start: date
    end: date
    as_of: datetime
    months: Fraction
    chosen: dict[str, set[str]]
    least_days: int = 0
    most_days: int = 10**9
    least_tokens: Decimal = Decimal(0)
    most_tokens: Decimal = Decimal(10**12)
    frequent: Fraction = Fraction(7)


def hashed(secret: bytes, user_id: str) -> str:
    """The hash that stands for a user."""
    return hmac.new(secret, user_id.encode(), hashlib.sha256).hexdigest()[:40]


def decimals(value: Fraction, places: int) -> str:
    """Rounded half up, with exactly so many decimals."""
    # Digits that are cut off here lie above a half, or below it, but never make one.
    exact = Decimal(value.numerator * 10 ** (places + 6) // value.denominator)
    return str(exact.scaleb(-places - 6).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def chosen_rows(events: Iterable[Event], asked: Asked, secret: bytes) -> list[dict[str, Any]]:
    """The finished user_product rows that the filters choose."""
    uses: dict[tuple[str, ...], list[Event]] = defaultdict(list)
    for event in events:
        uses[event.team_id, event.user_id, event.product_id, event.access].append(event)
    rows = (_user_product(key, used, asked, secret) for key, used in uses.items())
    return [
        row
        for row in rows
        if row["days_used"]
        and all(row[column] in values for column, values in asked.chosen.items())
    ]


def _user_product(
    key: tuple[str, ...], used: list[Event], asked: Asked, secret: bytes
) -> dict[str, Any]:
    team, user, product, access = key
    in_range = [event for event in used if asked.start <= event.day <= asked.end]
    row = _numbers(in_range, used, asked)
    average = row["days_used"] / asked.months
    frequent = average >= asked.frequent
    latest = max(in_range, key=lambda event: (event.time, event.version.encode()), default=None)
    return {
        **row,
        "team_id": team,
        "team": team,
        "user_id": user,
        "hashed_user_id": hashed(secret, user),
        "product_id": product,
        "product": product,
        "access": access,
        "version": (latest.version or None) if latest else None,
        "frequency": "frequent" if frequent else "occasional",
        "activity": "active" if access == "flex" else None,
        "recommendation": "switch_to_subscription" if access == "flex" and frequent else None,
        "events": in_range,
        "ever": used,
    }


def _numbers(in_range: list[Event], ever: list[Event], asked: Asked) -> dict[str, Any]:
    days = len({event.day for event in in_range})
    tokens = sum((event.tokens for event in in_range), Decimal(0))
    last = max((event.time for event in ever if event.time <= asked.as_of), default=None)
    return {
        "days_used": days,
        "monthly_average": decimals(days / asked.months, 1),
        "launches": sum(event.launches for event in in_range),
        "tokens_used": tokens,
        "tokens_monthly_average": decimals(Fraction(tokens) / asked.months, 2),
        "last_accessed": last,
        "days_inactive": (asked.as_of.date() - last.date()).days if last else None,
    }


def plain_report(
    events: Iterable[Event], asked: Asked, secret: bytes, by: str
) -> list[dict[str, Any]]:
    """The rows of the grain, in no order."""
    rows = chosen_rows(events, asked, secret)
    if by != "user_product":
        groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            groups[row[_GATHERED_BY[by]]].append(row)
        rows = [_gathered(by, group, asked) for group in groups.values()]
    return [
        row
        for row in rows
        if asked.least_days <= row["days_used"] <= asked.most_days
        and asked.least_tokens <= row["tokens_used"] <= asked.most_tokens
    ]


def _gathered(by: str, group: list[dict[str, Any]], asked: Asked) -> dict[str, Any]:
    own = {"user": ("hashed_user_id",), "product": ("product_id", "product")}
    return {
        **_numbers(
            [event for row in group for event in row["events"]],
            [event for row in group for event in row["ever"]],
            asked,
        ),
        **{name: group[0][name] for name in own.get(by, ("team_id", "team"))},
        "users": len({row["user_id"] for row in group}),
        "products": len({row["product_id"] for row in group}),
        "events": [event for row in group for event in row["events"]],
    }


def ordered(rows: list[dict[str, Any]], sort: list[str], by: str) -> list[dict[str, Any]]:
    """Sorted by `sort`, nulls last in both directions, ties by the row's identity."""
    rows = sorted(rows, key=lambda row: tuple(row[name] for name in IDENTITY[by]))
    for entry in reversed(sort):
        rows = _sorted_by(rows, _column(entry), descending=entry.startswith("-"))
    return rows


def _column(entry: str) -> str:
    name = entry.removeprefix("-")
    return "hashed_user_id" if name == "user" else name


def _sorted_by(
    rows: list[dict[str, Any]], column: str, *, descending: bool
) -> list[dict[str, Any]]:
    some = [row for row in rows if row.get(column) is not None]
    none = [row for row in rows if row.get(column) is None]
    # A reversed sort is stable too: ties stay in the order they came in.
    some.sort(key=lambda row: _value(column, row[column]), reverse=descending)
    return some + none


def _value(column: str, value: Any) -> Any:
    if column.endswith("_average"):
        return Decimal(value)
    return value.casefold() if isinstance(value, str) else value


def totals(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What the answer's `totals` say of these rows."""
    tokens = sum((row["tokens_used"] for row in rows), Decimal(0))
    return {
        "rows": len(rows),
        "users": len({event.user_id for row in rows for event in row["events"]}),
        "launches": sum(row["launches"] for row in rows),
        "tokens_used": written(tokens),
    }


def written(value: Any) -> Any:
    """A value as the answer has it."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        utc = value.astimezone(UTC)
        return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
    return value
