"""Where a page ended: a sealed cursor that only fits the query it was made for.

It holds the sort values of the last row, which may be a name or a hash that the view does not
show, so it is encrypted with a key of the tenant: a reader of URLs learns nothing from it.
Next: query_service.report
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from query_service.columns import KeyType

Value = str | int


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


def encode(cursor: Cursor, secret: bytes) -> str:
    """The cursor as text that is safe in a URL, sealed with the tenant's `secret`."""
    millis = int(cursor.as_of.timestamp() * 1000 + 0.5)
    content = json.dumps([cursor.fingerprint, millis, *cursor.values], ensure_ascii=False)
    return _seal(secret).encrypt(content.encode()).decode().rstrip("=")


def decode(text: str, secret: bytes) -> Cursor:
    """The cursor that `encode` made; raises ValueError for anything else."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        bound_to, millis, *values = json.loads(_seal(secret).decrypt(padded))
    except (InvalidToken, UnicodeEncodeError) as error:
        raise ValueError("this is not a cursor of an earlier answer") from error
    return Cursor(bound_to, datetime.fromtimestamp(millis / 1000, UTC), tuple(values))


def fits(cursor: Cursor, types: Sequence[KeyType]) -> bool:
    """Whether the cursor holds one value of the right type for each sort key."""
    return len(cursor.values) == len(types) and all(
        isinstance(value, str) == (kind is KeyType.TEXT)
        for value, kind in zip(cursor.values, types, strict=True)
    )


def _seal(secret: bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hmac.digest(secret, b"cursor", "sha256")))
