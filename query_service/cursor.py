"""Where a page ended: an opaque cursor that only fits the query it was made for.

It needs no signature: it holds values that the client has seen, and they are checked and bound
as typed parameters, so a forged one is only another place to start from.
Next: query_service.report
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from query_service.columns import KeyType

Value = str | int
_INT128 = 1 << 127


@dataclass(frozen=True)
class Cursor:
    """The last row's sort keys, and the moment the first page was asked for."""

    fingerprint: str
    as_of: datetime
    values: tuple[Value, ...]


def fingerprint(*parts: Any) -> str:
    """What a cursor is bound to: everything that chooses and orders the rows."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def encode(cursor: Cursor) -> str:
    """The cursor as text that is safe in a URL."""
    millis = int(cursor.as_of.timestamp() * 1000 + 0.5)
    content = json.dumps([cursor.fingerprint, millis, *cursor.values], ensure_ascii=False)
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def decode(text: str) -> Cursor:
    """The cursor that `encode` made; raises ValueError for anything else."""
    try:
        content = json.loads(base64.b64decode(_padded(text), altchars=b"-_", validate=True))
        bound_to, millis, *values = content
        moment = datetime.fromtimestamp(millis / 1000, UTC)
    except (binascii.Error, ValueError, TypeError, OverflowError, OSError, RecursionError) as error:
        raise ValueError("this is not a cursor of an earlier answer") from error
    if not isinstance(bound_to, str) or not all(_is_value(value) for value in values):
        raise ValueError("this is not a cursor of an earlier answer")
    return Cursor(bound_to, moment, tuple(values))


def fits(cursor: Cursor, types: Sequence[KeyType]) -> bool:
    """Whether the cursor holds one value of the right type for each sort key."""
    return len(cursor.values) == len(types) and all(
        isinstance(value, str) == (kind is KeyType.TEXT)
        for value, kind in zip(cursor.values, types, strict=True)
    )


def _padded(text: str) -> bytes:
    return text.encode("ascii") + b"=" * (-len(text) % 4)


def _is_value(value: Any) -> bool:
    if isinstance(value, str):
        # A lone surrogate passes JSON, but is no text that could be sent on.
        return value.isprintable() or all(not 0xD800 <= ord(char) <= 0xDFFF for char in value)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _INT128
