"""The finished user_product rows of definitions.md, from a tenant's raw data.

Next: tests.support.plain_report
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

from tests.support.plain_seats import Seat, SeatKey, seats_at
from tests.support.plain_tenant import Asked, Event, Tenant, User, hashed

Row = dict[str, Any]
NOBODY = User("")


def decimals(value: Fraction, places: int) -> Decimal:
    """Rounded half up, with exactly so many decimals."""
    # Digits that are cut off here lie above a half, or below it, but never make one.
    exact = Decimal(value.numerator * 10 ** (places + 6) // value.denominator)
    return exact.scaleb(-places - 6).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


class Rows:
    """Makes every row of a tenant that there is for what was asked, before filters."""

    def __init__(self, tenant: Tenant, asked: Asked) -> None:
        self._tenant, self._asked = tenant, asked
        self._seats = seats_at(tenant.changes, asked.as_of)
        self._used: dict[SeatKey, list[Event]] = defaultdict(list)
        for event in tenant.events:
            key = (event.team_id, event.user_id, event.product_id, event.access)
            self._used[key].append(event)

    @cached_property
    def _users(self) -> dict[str, User]:
        return {user.user_id: user for user in self._tenant.directory.users if not user.deleted}

    @cached_property
    def _teams(self) -> dict[str, str | None]:
        teams = self._tenant.directory.teams
        return {team.team_id: team.name for team in teams if not team.deleted}

    @cached_property
    def _products(self) -> dict[str, str | None]:
        products = self._tenant.directory.products
        return {product.product_id: product.name for product in products if not product.deleted}

    @cached_property
    def _collections(self) -> dict[str, set[str]]:
        return {
            product.product_id: set(product.members)
            for product in self._tenant.directory.products
            if product.kind == "collection" and not product.deleted
        }

    def all(self) -> list[Row]:
        """The rows."""
        keys = {key for key in (*self._used, *self._seats) if self._asked.sees(key[0])}
        return [row for key in sorted(keys) if (row := self._row(key))]

    def _row(self, key: SeatKey) -> Row | None:
        in_range = self._in_range(self._used[key])
        if not in_range and not self._assigned_in_range(key):
            return None
        via = self._via(key, in_range)
        seat = self._seats.get((*key[:2], via, "subscription") if via else key)
        borrowed = self._borrowed(key)
        row = {
            **self._names(key),
            **self._seat(seat),
            "access": key[3],
            "version": None if self._is_collection(key) else _version(in_range),
            "via": via,
            "events": in_range,
            "use": in_range + self._in_range(borrowed),
            "ever": self._used[key] + borrowed,
        }
        row |= numbers(row["events"], row["use"], row["ever"], self._asked)
        row |= self._judged(key, row)
        return row

    def _in_range(self, events: Iterable[Event]) -> list[Event]:
        return [event for event in events if self._asked.start <= event.day <= self._asked.end]

    def _assigned_in_range(self, key: SeatKey) -> bool:
        seat = self._seats.get(key)
        return seat is not None and seat.assigned_in(self._asked.start, self._asked.end)

    def _assigned(self, key: SeatKey) -> bool:
        return key in self._seats and self._seats[key].assigned

    def _is_collection(self, key: SeatKey) -> bool:
        return key[2] in self._collections and key[3] == "subscription"

    def _borrowed(self, key: SeatKey) -> list[Event]:
        """What a collection's row takes from its members."""
        if not self._is_collection(key) or not self._assigned_in_range(key):
            return []
        members = [(*key[:2], member, key[3]) for member in self._collections[key[2]]]
        return [
            event
            for member in members
            if not self._assigned(member)
            for event in self._used.get(member, [])
        ]

    def _via(self, key: SeatKey, in_range: list[Event]) -> str | None:
        """The collection by whose seat a member was used."""
        if key[3] != "subscription" or self._assigned(key) or not in_range:
            return None
        holders = [
            (not self._assigned(holder), holder[2])
            for collection, members in self._collections.items()
            if key[2] in members
            and self._assigned_in_range(holder := (*key[:2], collection, "subscription"))
        ]
        return min(holders)[1] if holders else None

    def _names(self, key: SeatKey) -> Row:
        team, user_id, product, _ = key
        user = self._users.get(user_id, NOBODY)
        return {
            "team_id": team,
            "team": self._teams.get(team) or team,
            "user_id": user_id,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "email": user.email,
            "hashed_user_id": hashed(self._tenant.secret, user_id),
            "product_id": product,
            "product": self._products.get(product) or product,
        }

    @staticmethod
    def _seat(seat: Seat | None) -> Row:
        if seat is None:
            names = ("seat", "assignment", "group", "assigned_at", "unassigned_at")
            return dict.fromkeys(names)
        return {
            "seat": "assigned" if seat.assigned else "unassigned",
            "assignment": seat.shown.assignment,
            "group": seat.shown.group or None,
            "assigned_at": seat.shown.start,
            "unassigned_at": seat.shown.end,
        }

    def _judged(self, key: SeatKey, row: Row) -> Row:
        average = row["days_used"] / self._asked.months
        break_even = self._break_even(key[2])
        frequency = "frequent" if average >= break_even else "occasional"
        row = row | {"frequency": frequency if row["days_used"] else "unused"}
        activity = None
        if row["days_used"] and (row["seat"] == "assigned" or key[3] == "flex"):
            activity = "active"
        elif not row["days_used"] and self._assigned_in_range(key):
            activity = "inactive"
        return {
            "frequency": row["frequency"],
            "activity": activity,
            "recommendation": self._recommendation(row),
        }

    def _recommendation(self, row: Row) -> str | None:
        if row["via"]:
            return None
        frequency, flex = row["frequency"], row["access"] == "flex"
        if flex and frequency == "frequent":
            return "switch_to_subscription"
        month_ago = self._asked.as_of - timedelta(days=30)
        if row["seat"] != "assigned" or row["assigned_at"] > month_ago:
            return None
        if row["assignment"] != "direct":
            return None
        if frequency == "unused":
            return "unassign"
        return "switch_to_flex" if frequency == "occasional" and not flex else None

    def _break_even(self, product_id: str) -> Fraction:
        """B(product), in days a month."""
        day = min(self._asked.end, self._asked.as_of_day)
        prices = [
            price
            for price in self._tenant.directory.prices
            if price.product_id == product_id and price.valid_from <= day and not price.deleted
        ]
        if not prices:
            return self._asked.frequent
        price = max(prices, key=lambda price: price.valid_from)
        by_tokens = 12 * Fraction(price.tokens_per_day) * Fraction(price.token_price)
        return Fraction(price.annual_price) / by_tokens


def numbers(own: list[Event], use: list[Event], ever: list[Event], asked: Asked) -> Row:
    """A row's numbers: `own` events are added up, `use` makes days, `ever` the last access."""
    days = len({event.day for event in use})
    tokens = sum((event.tokens for event in own), Decimal(0))
    last = max((event.time for event in ever if event.time <= asked.as_of), default=None)
    return {
        "days_used": days,
        "monthly_average": decimals(days / asked.months, 1),
        "launches": sum(event.launches for event in own),
        "tokens_used": tokens,
        "tokens_monthly_average": decimals(Fraction(tokens) / asked.months, 2),
        "last_accessed": last,
        "days_inactive": (asked.as_of_day - last.date()).days if last else None,
    }


def _version(in_range: list[Event]) -> str | None:
    """That of the latest use, or none if it had none."""
    latest = max(in_range, key=lambda event: (event.time, event.version.encode()), default=None)
    return (latest.version or None) if latest else None
