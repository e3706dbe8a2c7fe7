"""Why something is recommended, with its numbers in words; no I/O.

Next: query_service.detail
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from query_service import answers
from query_service.ranges import Range

# A seat is judged when it was held for so long.
RIPE_DAYS = 30
_MOST_DECIMALS = 6


@dataclass(frozen=True)
class Price:
    """What a product costs as a subscription and in tokens, from `valid_from` on."""

    product_id: str
    valid_from: date
    annual_price: Decimal
    tokens_per_day: Decimal
    token_price: Decimal
    currency: str

    @property
    def days_per_month(self) -> Fraction | None:
        """B: from so many days a month a subscription costs no more; None if tokens are free."""
        year = 12 * Fraction(self.tokens_per_day) * Fraction(self.token_price)
        return Fraction(self.annual_price) / year if year else None


def arithmetic(row: Mapping[str, Any], price: Price | None, when: Range, frequent: Fraction) -> str:
    """The sentence for one row with a recommendation.

    `price` is the one valid at the end of the range, if any; `frequent` the days a month that stand
    for B without prices.
    """
    if row["recommendation"] == "unassign":
        return f"0 days used from {when.start} to {when.end}; {_held(row, when)}."
    average = row["days_used"] / when.months
    known = price.days_per_month if price else None
    threshold = frequent if known is None else known
    shown, limit = _apart(average, threshold)
    months = when.describe()["months"]
    used = f"{_days(row['days_used'])} in {months} month{'' if months == '1' else 's'}"
    parts = [
        f"{used} {'is' if row['days_used'] == 1 else 'are'} {shown} a month",
        _threshold(price if known is not None else None, limit),
    ]
    if row["recommendation"] == "switch_to_flex":
        parts += [f"{shown} is less than {limit}, so tokens cost less", _held(row, when)]
    else:
        parts.append(f"{shown} is not less than {limit}, so a subscription does not cost more")
    return "; ".join(parts) + "."


def _threshold(price: Price | None, limit: str) -> str:
    if price is None:
        return f"without prices B is the setting, {limit} days a month"
    annual, per_day, each = (
        answers.tokens(amount)
        for amount in (price.annual_price, price.tokens_per_day, price.token_price)
    )
    return (
        f"B = {annual} / (12 × {per_day} × {each}) = {limit} days a month"  # noqa: RUF001 - read by people
        f" (prices in {price.currency}, valid from {price.valid_from})"
    )


def _held(row: Mapping[str, Any], when: Range) -> str:
    assigned_at: datetime = row["assigned_at"]
    since = assigned_at if assigned_at.tzinfo else assigned_at.replace(tzinfo=UTC)
    return (
        f"assigned directly since {since.date()}, {_days((when.as_of - since).days)} ago"
        f" (at least {RIPE_DAYS})"
    )


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"


def _apart(one: Fraction, other: Fraction) -> tuple[str, str]:
    """Both with two decimals, or as many more as it takes to tell them apart."""
    for decimals in range(2, _MOST_DECIMALS + 1):
        texts = (_rounded(one, decimals), _rounded(other, decimals))
        if texts[0] != texts[1] or one == other:
            break
    return texts


def _rounded(value: Fraction, decimals: int) -> str:
    scaled = math.floor(value * 10**decimals + Fraction(1, 2))
    return f"{Decimal(scaled).scaleb(-decimals):f}"
