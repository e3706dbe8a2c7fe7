"""CloudEvents binary mode: attributes in `ce-` headers, the data alone in the body.

Header values are unquoted and percent-decoded once, as the HTTP binding (3.1.3.2) asks.

Next: ingest.accept
"""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from ingest.parse import loads

_PREFIX = b"ce-"
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


def event_of(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> dict[str, Any]:
    """The event as structured mode would have it; header names are in lower case.

    `data` is absent for an empty body, and Malformed for one that is not JSON.
    """
    event: dict[str, Any] = {}
    for name, value in headers:
        if name.startswith(_PREFIX):
            event.setdefault(name[len(_PREFIX) :].decode("latin-1"), _decoded(value))
    event.pop("data", None)
    if body:
        event["data"] = loads(body)
    return event


def _decoded(value: bytes) -> str:
    """Bytes that are not UTF-8 become lone surrogates, which the rules refuse by field."""
    value = value.strip()
    if len(value) > 1 and value[:1] == value[-1:] == b'"':
        value = _ESCAPED.sub(rb"\1", value[1:-1])
    return unquote_to_bytes(value).decode("utf-8", errors="surrogateescape")
