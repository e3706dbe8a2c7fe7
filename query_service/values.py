"""How the value of a query parameter is read, kind by kind; ValueError says what is wrong with it.

Next: query_service.params
"""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal

from query_service.ranges import FIRST_DAY

LIMIT_MAX = 1000
TEXT_MAX_CHARS = 4096
# A cursor holds sort values, sealed; a name of 256 characters may take 1,000 bytes.
CURSOR_MAX_CHARS = 16_384

# Only JSON's escapes can bring one, and no encoding can take it on.
LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_COUNT = re.compile(r"[0-9]{1,9}")
_DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,4})?")
_LAST_MOMENT = time(23, 59, 59, 999_000, UTC)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def read_text(text: str) -> str:
    """Any value; one that names nothing matches nothing."""
    if len(text) > TEXT_MAX_CHARS:
        raise ValueError(f"longer than {TEXT_MAX_CHARS} characters")
    if LONE_SURROGATE.search(text):
        raise ValueError("holds a lone surrogate")
    return text


def read_cursor_text(text: str) -> str:
    """What may be a cursor of an earlier answer."""
    if len(text) > CURSOR_MAX_CHARS:
        raise ValueError(f"longer than {CURSOR_MAX_CHARS} characters")
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


def read_names(text: str) -> tuple[str, ...]:
    """Names separated by commas."""
    return tuple(part.strip() for part in text.split(","))
