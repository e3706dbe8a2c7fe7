"""The filters of reports: values of one are ORed, filters are ANDed, null never matches.

Next: query_service.chosen
"""

from dataclasses import dataclass
from decimal import Decimal

from query_service.params import Parsed

# Above any sum of tokens and any count of days.
_NO_LIMIT = 10**30


@dataclass(frozen=True)
class Filters:
    """Which finished user_product rows are chosen; an empty tuple chooses all."""

    teams: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    # User ids where names are shown, hashed ones where they are not.
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    access: tuple[str, ...] = ()
    activity: tuple[str, ...] = ()
    seat: tuple[str, ...] = ()
    assignment: tuple[str, ...] = ()
    frequency: tuple[str, ...] = ()
    recommendation: tuple[str, ...] = ()
    q: str | None = None
    # These act on the rows of the grain shown.
    days_used_min: int = 0
    days_used_max: int = _NO_LIMIT
    tokens_min: Decimal = Decimal(0)
    tokens_max: Decimal = Decimal(_NO_LIMIT)


def read_filters(parsed: Parsed) -> Filters:
    """The filters among the parsed parameters."""
    return Filters(
        teams=parsed.many("team"),
        products=parsed.many("product"),
        users=parsed.many("user"),
        groups=parsed.many("group"),
        versions=parsed.many("version"),
        access=parsed.many("access"),
        activity=parsed.many("activity"),
        seat=parsed.many("seat"),
        assignment=parsed.many("assignment"),
        frequency=parsed.many("frequency"),
        recommendation=parsed.many("recommendation"),
        q=parsed.get("q"),
        days_used_min=parsed.get("days_used_min", 0),
        days_used_max=parsed.get("days_used_max", _NO_LIMIT),
        tokens_min=parsed.get("tokens_min", Decimal(0)),
        tokens_max=parsed.get("tokens_max", Decimal(_NO_LIMIT)),
    )
