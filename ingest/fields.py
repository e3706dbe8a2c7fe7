"""The rules for single attributes: each gives the text for the log, or says what is wrong.

Next: ingest.accept
"""

from typing import Any

import orjson

from ingest.parse import Number
from ingest.values import canonical_tokens
from schemas.events import DEFAULT_ACCESS, FORBIDDEN_CHARS, MAX_NAME_CHARS, Access
from schemas.rejects import Reason, Rejected

_ACCESSES = tuple(map(str, Access))


def required(holder: dict[str, Any], name: str, path: str, most_chars: int) -> str:
    """A string that must be there, of 1 to `most_chars` characters."""
    value = holder.get(name)
    if type(value) is str and 0 < len(value) <= most_chars:
        return value
    raise wrong(value, path, f"is a string of 1 to {most_chars} characters")


def optional(holder: dict[str, Any], name: str, path: str) -> str:
    """A string that may be absent (then empty), of at most 128 characters."""
    value = holder.get(name)
    if value is None:
        return ""
    if type(value) is str and len(value) <= MAX_NAME_CHARS:
        return value
    raise wrong(value, path, f"is a string of at most {MAX_NAME_CHARS} characters")


def wrong(value: Any, path: str, rule: str) -> Rejected:
    """The refusal of `value`: missing where it is None, else invalid."""
    reason = Reason.MISSING_FIELD if value is None else Reason.INVALID_FIELD
    return Rejected(reason, f"{path} {rule}.", field=path)


def access(value: Any, event_type: str) -> str:
    """The access that is sent, or the default of the type."""
    if value is None:
        return DEFAULT_ACCESS[event_type]
    if type(value) is str and value in _ACCESSES:
        return value
    raise wrong(value, "data.access", f"is one of {', '.join(_ACCESSES)}")


def tokens(value: Any) -> str:
    """The amount in its one way of writing."""
    amount = canonical_tokens(_written(value))
    if amount is None:
        raise wrong(
            value,
            "data.tokens",
            "is a decimal number above 0, with at most 4 decimals, at most 1000000",
        )
    return amount


def _written(value: Any) -> str:
    """The digits of a number or a string; empty for anything else, a bool included."""
    if type(value) is str or type(value) is Number:
        return value
    return repr(value) if type(value) is int or type(value) is float else ""


def encoded(values: dict[str, str]) -> bytes:
    """The line on the log; raises Rejected for a character that no string may hold.

    JSON escapes control characters, so a line without a backslash in plain ASCII has none:
    only the other few are looked at string by string.
    """
    try:
        line = orjson.dumps(values)
    except orjson.JSONEncodeError:  # a lone surrogate
        line = b"\\"
    if b"\\" in line or b"\x7f" in line or not line.isascii():
        _check_chars(values)
    return line


_PATHS = {
    "user_id": "subject",
    **{
        name: f"data.{name}"
        for name in (
            "team_id",
            "product_id",
            "product_version",
            "session_id",
            "feature_id",
            "cost_center",
        )
    },
}


def _check_chars(values: dict[str, str]) -> None:
    for name, value in values.items():
        if FORBIDDEN_CHARS.search(value):
            path = _PATHS.get(name, name)
            raise Rejected(
                Reason.INVALID_FIELD,
                f"{path} holds a control character or a lone surrogate.",
                field=path,
            )
