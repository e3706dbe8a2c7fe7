"""Query parameters: one table of them, read and judged all at once, and shown in OpenAPI.

Next: query_service.queries
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from query_service.columns import COLUMNS, GRAINS
from query_service.problems import HIDDEN, ParameterError, refused
from query_service.ranges import FIRST_DAY, PRESETS

LIMIT_DEFAULT = 100
LIMIT_MAX = 1000
TEXT_MAX_CHARS = 4096

_COUNT = re.compile(r"[0-9]{1,9}")
_DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,4})?")
_LAST_MOMENT = time(23, 59, 59, 999_000, UTC)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


@dataclass(frozen=True)
class Parameter:
    """One query parameter. `read` raises ValueError with what is wrong with a value."""

    name: str
    description: str
    read: Callable[[str], Any]
    repeatable: bool = False
    allowed: tuple[str, ...] | None = None
    required: bool = False
    # Personal data: refused while it is hidden.
    personal: bool = False

    def openapi(self) -> dict[str, Any]:
        """The parameter as OpenAPI describes it."""
        schema: dict[str, Any] = {"type": "string"}
        if self.allowed is not None:
            schema["enum"] = list(self.allowed)
        if self.repeatable:
            schema = {"type": "array", "items": schema}
        return {
            "name": self.name,
            "in": "query",
            "required": self.required,
            "description": self.description,
            "schema": schema,
        }


def read_text(text: str) -> str:
    """Any value; one that names nothing matches nothing."""
    if len(text) > TEXT_MAX_CHARS:
        raise ValueError(f"longer than {TEXT_MAX_CHARS} characters")
    return text


def read_count(text: str) -> int:
    """A whole number that is not negative."""
    if not _COUNT.fullmatch(text):
        raise ValueError("not a whole number from 0 to 999999999")
    return int(text)


def read_limit(text: str) -> int:
    """How many rows a page has."""
    if not _COUNT.fullmatch(text) or not 1 <= int(text) <= LIMIT_MAX:
        raise ValueError(f"not a whole number from 1 to {LIMIT_MAX}")
    return int(text)


def read_tokens(text: str) -> Decimal:
    """A decimal number of tokens that is not negative."""
    if not _DECIMAL.fullmatch(text):
        raise ValueError("not a decimal number with at most 4 decimals")
    return Decimal(text)


def read_day(text: str) -> date:
    """A UTC date, YYYY-MM-DD."""
    if not _DATE.fullmatch(text):
        raise ValueError("not a date, YYYY-MM-DD")
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ValueError("there is no such date") from error
    if day < FIRST_DAY:
        raise ValueError(f"before {FIRST_DAY}")
    return day


def read_moment(text: str) -> datetime:
    """RFC 3339 with a zone, or a date, which means the end of that day."""
    if _DATE.fullmatch(text):
        return datetime.combine(read_day(text), _LAST_MOMENT)
    # "+" in a URL that was not escaped arrives as a space.
    candidate = text.replace(" ", "+")
    if not _MOMENT.fullmatch(candidate):
        raise ValueError("not a time of RFC 3339 with a zone, nor a date")
    try:
        moment = datetime.fromisoformat(_milliseconds(candidate.upper())).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("there is no such time") from error
    if moment.date() < FIRST_DAY:
        raise ValueError(f"before {FIRST_DAY}")
    return moment


def _milliseconds(text: str) -> str:
    """The same time with its fraction cut to milliseconds."""
    return re.sub(r"\.([0-9]{1,3})[0-9]*", lambda found: "." + found[1].ljust(3, "0"), text)


def read_flag(text: str) -> bool:
    """Either true or false."""
    if text not in {"true", "false"}:
        raise ValueError("neither true nor false")
    return text == "true"


def _choice(
    name: str, description: str, *allowed: str, repeatable: bool = True, **more: Any
) -> Parameter:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError("not one of the allowed values")
        return text

    return Parameter(name, description, read, repeatable, allowed, **more)


def _text(name: str, description: str, **more: Any) -> Parameter:
    return Parameter(name, description, read_text, **more)


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


RANGE = (
    _choice("preset", "Rolling range that ends at as_of; default 3m.", *PRESETS, repeatable=False),
    Parameter("from", "First day (UTC), together with `to`.", read_day),
    Parameter("to", "Last day (UTC), inclusive, together with `from`.", read_day),
    Parameter(
        "as_of",
        "The moment the report is seen from: RFC 3339, or a date for its end. Not in the future.",
        read_moment,
    ),
)
FILTERS = (
    _text("team", "Team ids.", repeatable=True),
    _text("product", "Product ids.", repeatable=True),
    _text("user", "User ids; while personal data is hidden, hashed ones.", repeatable=True),
    _text("group", "Groups that a seat came from.", repeatable=True),
    _text("version", "Product version of the latest usage in the range.", repeatable=True),
    _choice("access", "How the use is paid for.", "subscription", "flex"),
    _choice("activity", "Active or inactive.", "active", "inactive"),
    _choice("seat", "Seat assignment.", "assigned", "unassigned"),
    _choice("assignment", "How the seat was assigned.", "direct", "group", "default"),
    _choice("frequency", "How often it is used.", "frequent", "occasional", "unused"),
    _choice(
        "recommendation",
        "What to do about the seat.",
        "unassign",
        "switch_to_flex",
        "switch_to_subscription",
    ),
    _text("q", "Name or e-mail contains.", personal=True),
    Parameter("days_used_min", "Fewest days used of a row shown.", read_count),
    Parameter("days_used_max", "Most days used of a row shown.", read_count),
    Parameter("tokens_min", "Fewest tokens of a row shown.", read_tokens),
    Parameter("tokens_max", "Most tokens of a row shown.", read_tokens),
)
_TEAM = FILTERS[:1]
ROWS = (*RANGE, *FILTERS)
TOKENS = (*RANGE, *_TEAM)
PAGE = (
    Parameter("limit", f"Rows in the answer: {LIMIT_DEFAULT}, at most {LIMIT_MAX}.", read_limit),
    _text("cursor", "`next_cursor` of the page before."),
)
REPORT = (
    *RANGE,
    *FILTERS,
    _choice("by", "What a row stands for.", *GRAINS, repeatable=False),
    Parameter("sort", "Columns of the grain, or user; `-` before one: descending.", _names),
    Parameter("columns", f"Columns of the rows: {', '.join(COLUMNS)}.", _names),
    *PAGE,
)
# An export is one answer with everything: what cuts or thins a page means nothing to it.
IGNORED = ("columns", "limit", "cursor")
BOM = Parameter(
    "bom",
    "Begin a CSV file with a byte order mark: true or false (default).",
    read_flag,
    allowed=("true", "false"),
)
INTERVALS = ("day", "week", "month")
GROUPS = ("team", "product", "access")
DAILY = (
    *RANGE,
    *FILTERS,
    _choice("interval", "Day, week from Monday, or month.", *INTERVALS, repeatable=False),
    Parameter("group_by", f"Any of {', '.join(GROUPS)}, separated by commas.", _names),
)
TRACE = (
    _text("source", "The event's source.", required=True),
    _text("id", "The event's id.", required=True),
    _text("user", "The user, by hashed id while names are hidden: faster.", repeatable=True),
    Parameter("day", "The event's UTC day, if known: faster.", read_day),
)
EVENTS = (
    _text("user", "User ids; while personal data is hidden, hashed ones.", repeatable=True),
    Parameter("from", "First day (UTC) of the events; default: 30 days up to `to`.", read_day),
    Parameter("to", "Last day (UTC) of the events; default: tomorrow.", read_day),
    *PAGE,
)
LEDGER = (
    Parameter("from", "First day of receipt; default: a year back.", read_day),
    Parameter("to", "Last day of receipt; default: today.", read_day),
)
VERIFY = (
    Parameter("from", "First day to check; default: all that events are retained for.", read_day),
    Parameter("to", "Last day to check.", read_day),
)


class Parsed:
    """The values that could be read, and what is wrong with the others."""

    def __init__(self, values: dict[str, Any], errors: list[ParameterError]) -> None:
        self.values = values
        self.errors = errors

    def get(self, name: str, default: Any = None) -> Any:
        """The value of `name`: a tuple for a repeatable one; `default` if absent or wrong."""
        return self.values.get(name, default)

    def many(self, name: str) -> tuple[Any, ...]:
        """The values of a repeatable parameter; empty if absent."""
        return tuple(self.values.get(name, ()))

    def wrong(
        self, name: str, reason: str, detail: str, allowed: Sequence[str] | None = None
    ) -> None:
        """Note one more thing that is wrong."""
        shown = tuple(allowed) if allowed is not None else None
        self.errors.append(ParameterError(name, reason, detail, shown))

    def check(self) -> None:
        """Raise one Problem for everything that was found wrong."""
        if self.errors:
            raise refused(self.errors)


def parse(
    parameters: Iterable[Parameter], items: Iterable[tuple[str, str]], *, shown: bool = False
) -> Parsed:
    """Read the pairs of a query string; unknown parameters are errors.

    So are those about personal data unless it is `shown`.
    """
    known = {parameter.name: parameter for parameter in parameters}
    given: dict[str, list[str]] = {}
    for name, text in items:
        given.setdefault(name, []).append(text)
    parsed = Parsed({}, [])
    for name, texts in given.items():
        if name in known:
            _read(parsed, known[name], texts, shown=shown)
        else:
            parsed.wrong(name, "unknown_parameter", "there is no such parameter", tuple(known))
    for name, parameter in known.items():
        if parameter.required and name not in given:
            parsed.wrong(name, "missing_parameter", "is required")
    return parsed


def _read(parsed: Parsed, parameter: Parameter, texts: list[str], *, shown: bool) -> None:
    name = parameter.name
    if parameter.personal and not shown:
        parsed.wrong(name, HIDDEN, "personal data is hidden in this view")
        return
    if len(texts) > 1 and not parameter.repeatable:
        parsed.wrong(name, "repeated_parameter", "is given more than once")
        return
    try:
        values = tuple(parameter.read(text) for text in texts)
    except ValueError as error:
        parsed.wrong(name, "invalid_value", str(error), parameter.allowed)
        return
    parsed.values[name] = values if parameter.repeatable else values[0]
