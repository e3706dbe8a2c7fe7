"""JSON in: whatever bytes a sender sends become raw events or the mark of a malformed one.

Numbers keep every digit that was sent, and one bad string does not spoil a whole batch.

Next: ingest.accept
"""

import json
import re
from typing import Any, Final, NoReturn

import orjson

from ingest.bodies import Form

# What stands in the list of raw events for bytes that are not JSON.
MALFORMED: Final = object()

# A number of 16 and more digits may be rounded to a float that looks like a shorter one; with 15
# digits, the shortest text of the float is the number that was sent.
_LONG_NUMBER = re.compile(rb":[ \t\r\n]*-?[0-9.]{16}")


class Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


def parse(body: bytes, form: Form) -> list[Any]:
    """The raw events of `body`: JSON values, or MALFORMED where the bytes are not JSON.

    Blank lines of NDJSON are no events. For Form.BINARY see ingest.binary_mode.
    """
    if form is Form.LINES:
        return [loads(line) for line in body.split(b"\n") if line.strip(b" \t\r")]
    value = loads(body)
    if form is Form.MANY and type(value) is list:
        return value
    return [value]


def loads(text: bytes) -> Any:
    """The JSON value of `text`, or MALFORMED. Of duplicate keys the last one counts."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _loads_exactly(text)
    return _loads_exactly(text) if _LONG_NUMBER.search(text) else value


def _loads_exactly(text: bytes) -> Any:
    """As `loads`, three times slower: numbers as Number, lone surrogates let through.

    A lone surrogate spoils the one string it is in; orjson would refuse the whole text.
    """
    try:
        return json.loads(
            text.decode(), parse_float=Number, parse_int=Number, parse_constant=_refuse
        )
    except (ValueError, RecursionError):
        return MALFORMED


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def dumps(value: Any) -> bytes:
    """`value` (what `loads` returns) as JSON again, for dead letters."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # a lone surrogate, or nested more than 254 deep
        pass
    try:
        return json.dumps(value).encode()
    except RecursionError:
        return b'"nested too deeply to be kept"'
