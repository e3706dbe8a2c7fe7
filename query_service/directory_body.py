"""The body of a PUT to the directory: JSON or NDJSON, as raw entries.

Next: query_service.directory
"""

import json
from decimal import Decimal
from typing import Any, NoReturn

from query_service.problems import Problem
from schemas.rejects import Reason

MAX_ENTRIES = 10_000
JSON, NDJSON = "application/json", "application/x-ndjson"
_DIGITS_MAX = 1000
_CHARSETS = ("", "charset=utf-8", "charset=us-ascii")


class Malformed:
    """Bytes that are not JSON, where an entry should be."""


def raw_entries(body: bytes, *, content_type: str, encoding: str) -> list[Any]:
    """The entries of `body`: JSON values, or Malformed; blank lines of NDJSON are none.

    Raises Problem for a form that is not taken, and for too many entries.
    """
    media_type, _, parameters = content_type.partition(";")
    media_type, charset = media_type.strip().lower(), parameters.strip().lower().replace('"', "")
    known = media_type in {JSON, NDJSON} and charset in _CHARSETS
    if not known or encoding not in {"", "identity"}:
        detail = f"Send {JSON} or {NDJSON}, in UTF-8 and not compressed."
        raise Problem(415, Reason.UNSUPPORTED_MEDIA_TYPE, detail)
    entries = _lines(body) if media_type == NDJSON else _array(body)
    if len(entries) > MAX_ENTRIES:
        detail = f"A request has at most {MAX_ENTRIES} entries."
        raise Problem(413, Reason.BATCH_TOO_LARGE, detail)
    return entries


def _lines(body: bytes) -> list[Any]:
    return [_loads(line) for line in body.split(b"\n") if line.strip()]


def _array(body: bytes) -> list[Any]:
    value = _loads(body)
    return value if isinstance(value, list) else [value]


def _loads(text: bytes) -> Any:
    """Amounts keep every digit; what no field can hold spoils no more than its own entry."""
    try:
        return json.loads(
            text.decode(), parse_float=_decimal, parse_int=_whole, parse_constant=_refuse
        )
    except (ValueError, RecursionError):
        return Malformed()


def _decimal(text: str) -> Any:
    try:
        return Decimal(text)
    except ArithmeticError:  # an exponent beyond what Decimal holds: as float, which no field takes
        return float(text)


def _whole(text: str) -> Any:
    # Python refuses to read more than 4,300 digits.
    return int(text) if len(text) <= _DIGITS_MAX else float(text)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
