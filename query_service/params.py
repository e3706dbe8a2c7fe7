"""Query parameters: one table of them, read and judged all at once, and shown in OpenAPI.

Next: query_service.queries
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from query_service.columns import COLUMNS, GRAINS
from query_service.problems import HIDDEN, ParameterError, refused
from query_service.ranges import PRESETS
from query_service.values import (
    LIMIT_MAX,
    read_count,
    read_cursor_text,
    read_day,
    read_flag,
    read_limit,
    read_moment,
    read_names,
    read_text,
    read_tokens,
)
from schemas.rejects import Reason
from sinks.audit import ACTIONS, RESULTS

LIMIT_DEFAULT = 100


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
DETAIL = (
    *RANGE,
    *(each for each in FILTERS if each.name != "user"),
    _text("selected", "Product id: the one that the detail view is about."),
)
PAGE = (
    Parameter("limit", f"Rows in the answer: {LIMIT_DEFAULT}, at most {LIMIT_MAX}.", read_limit),
    Parameter("cursor", "`next_cursor` of the page before.", read_cursor_text),
)
REPORT = (
    *RANGE,
    *FILTERS,
    _choice("by", "What a row stands for.", *GRAINS, repeatable=False),
    Parameter("sort", "Columns of the grain, or user; `-` before one: descending.", read_names),
    Parameter("columns", f"Columns of the rows: {', '.join(COLUMNS)}.", read_names),
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
    Parameter("group_by", f"Any of {', '.join(GROUPS)}, separated by commas.", read_names),
)
TRACE = (
    _text("source", "The event's source.", required=True),
    _text("id", "The event's id.", required=True),
    _text("user", "The user, by hashed id while names are hidden: faster.", repeatable=True),
    Parameter("day", "The event's UTC day, if known: faster.", read_day),
)
EVENTS = (
    _text("user", "User ids; while personal data is hidden, hashed ones.", repeatable=True),
    _text("product", "Product ids.", repeatable=True),
    Parameter("from", "First day (UTC) of the events; default: 30 days up to `to`.", read_day),
    Parameter("to", "Last day (UTC) of the events; default: tomorrow.", read_day),
    *PAGE,
)
DEAD_LETTERS = (
    _choice("reason", "Why they are refused.", *Reason),
    Parameter("from", "First day (UTC) of receipt; default: all that are kept.", read_day),
    Parameter("to", "Last day (UTC) of receipt; default: tomorrow.", read_day),
    Parameter(
        "replayed",
        "Only those that were replayed (true), or were not (false).",
        read_flag,
        allowed=("true", "false"),
    ),
    *PAGE,
)
AUDIT = (
    _choice("action", "What was done.", *ACTIONS),
    _choice("result", "What came of it; `begun` was cut short, and may be done.", *RESULTS),
    Parameter("from", "First day (UTC); default: all that is kept.", read_day),
    Parameter("to", "Last day (UTC); default: tomorrow.", read_day),
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
