"""JSON in: whatever bytes a sender sends become raw events, malformed ones among them.

Numbers keep every digit that was sent, and one bad string does not spoil a whole batch.

Next: ingest.fields
"""

import json
import re
from typing import Any, NoReturn

import orjson

from ingest.bodies import Form

# An amount of 16 and more digits may be rounded to a float that looks like a shorter one; with 15
# digits, the shortest text of the float is the number that was sent.
_LONG_AMOUNT = re.compile(rb'"tokens"[ \t\r\n]*:[ \t\r\n]*-?[0-9.]{16}')
# The key may be written with escapes: these begin the ones of the letters in it.
_ESCAPED_LETTERS = (rb"\u006", rb"\u007")


class Malformed:
    """Bytes that are not JSON, where a JSON value should be."""

    __slots__ = ("raw",)

    def __init__(self, raw: bytes) -> None:
        self.raw = raw


class Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


def parse(body: bytes, form: Form) -> list[Any]:
    """The raw events of `body`: JSON values, or Malformed where the bytes are not JSON.

    Blank lines of NDJSON are no events. For Form.BINARY see ingest.binary_mode.
    """
    if form is Form.LINES:
        return [loads(line) for line in body.split(b"\n") if line.strip(b" \t\r")]
    value = loads(body)
    if form is Form.MANY and type(value) is list:
        return value
    return [value]


def loads(text: bytes) -> Any:
    """The JSON value of `text`, or Malformed. Of duplicate keys the last one counts."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _loads_exactly(text)
    return _loads_exactly(text) if _may_be_rounded(text) else value


def _may_be_rounded(text: bytes) -> bool:
    if any(letters in text for letters in _ESCAPED_LETTERS):
        return True
    return _LONG_AMOUNT.search(text) is not None


def _loads_exactly(text: bytes) -> Any:
    """As `loads`, three times slower: numbers as Number, lone surrogates let through.

    A lone surrogate spoils the one string it is in; orjson would refuse the whole text.
    """
    try:
        return json.loads(
            text.decode(), parse_float=Number, parse_int=Number, parse_constant=_refuse
        )
    except (ValueError, RecursionError):
        return Malformed(text)


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
