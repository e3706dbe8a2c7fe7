"""How values are written for people: grouped numbers, short dates, labels from one place.

Next: query_service.page.rendering
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from query_service.arithmetic import RIPE_DAYS
from schemas.reports import LABELS, VALUES

# Nothing is known, or it does not apply: a dash, to see and to hear.
NONE = "\N{EN DASH}"
# A thin space that does not break, as ISO 31-0 groups digits: no comma or point is taken wrongly.
_GROUP = "\N{NARROW NO-BREAK SPACE}"
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
NUMBERS = frozenset(
    {
        *("days_used", "monthly_average", "launches", "tokens_used", "tokens_monthly_average"),
        *("days_inactive", "users", "products", "seats_total", "seats_assigned", "seats_free"),
        *("seats_over", "seats_active", "seats_inactive"),
    }
)
TIMES = frozenset({"assigned_at", "unassigned_at", "last_accessed"})


# What cards of figures say beside the columns' names.
_FIGURES = {
    "subscriptions": "Subscriptions",
    "token_users": "Users of tokens",
    "remaining": "Tokens remaining",
    "bought": "Tokens bought",
    "days_until_empty": "Days until empty",
    "not_started": "Not started",
    "overdrawn": "Overdrawn",
    # Not the tokens used in the range, which may be of other packs or of none.
    "taken": "Tokens taken",
    "taken_from_active": "Taken from active packs",
}
# Why a team is one of a user's (see query_service.detail).
_REASONS = {
    "member": "member",
    "assigned": "a product assigned",
    "used": "a product used",
}


_PACK_STATES = {
    "active": "Active",
    "not_started": _FIGURES["not_started"],
    "ended": "Ended",
}


def label(column: str) -> str:
    """A column's name for people; the user's columns together are one."""
    return "User" if column == "user" else LABELS[column]


def figure(name: str) -> str:
    """The name of a figure that is no column's, for people."""
    return _FIGURES[name]


def pack_state(state: str) -> str:
    """The state of a token pack, for people."""
    return _PACK_STATES[state]


def reason(why: str) -> str:
    """Why a team is one of a user's, for people."""
    return _REASONS[why]


def ripe() -> str:
    """How long a seat is held before it is judged, for people."""
    return count(RIPE_DAYS, "day")


def word(column: str, value: str) -> str:
    """A value of a column for people; those without a word of their own stand as they are."""
    return VALUES.get(column, {}).get(value, value)


def person(user: Mapping[str, Any]) -> str:
    """A user as people know them: by name, else e-mail, else id; empty while all are hidden."""
    full = " ".join(filter(None, (user["first_name"], user["last_name"])))
    return full or user["email"] or user["user_id"] or ""


def number(value: float | str | Decimal | None) -> str:
    """A number with its digits in groups of three; text holds an exact decimal."""
    if value is None:
        return NONE
    whole, point, rest = str(value).partition(".")
    return f"{int(whole):,}".replace(",", _GROUP) + point + rest


def count(value: int, one: str, many: str = "") -> str:
    """So many of something: 1 seat, 2 seats."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def day(value: str | date | None) -> str:
    """A UTC date: 3 May 2026."""
    if value is None:
        return NONE
    moment = value if isinstance(value, date) else date.fromisoformat(value[:10])
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def moment(value: str | datetime | None) -> str:
    """A moment, to the minute, in UTC."""
    if value is None:
        return NONE
    when = datetime.fromisoformat(value) if isinstance(value, str) else value
    when = when.astimezone(UTC)
    return f"{day(when.date())}, {when:%H:%M} UTC"


def cell(column: str, value: Any) -> str:
    """A value of the report as its cell shows it."""
    if value is None or value == "":
        return NONE
    if column in NUMBERS:
        return number(value)
    if column in TIMES:
        return day(value)
    return word(column, str(value))


def short_day(value: str) -> str:
    """A date below a chart: 3 May."""
    at = date.fromisoformat(value)
    return f"{at.day} {_MONTHS[at.month - 1]}"


def month(value: date) -> str:
    """A month: May 2026."""
    return f"{_MONTHS[value.month - 1]} {value.year}"
