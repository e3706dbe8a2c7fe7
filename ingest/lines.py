"""An event as its line on the log: complete by itself, every value a string.

Next: ingest.accept
"""

from msgspec import Raw, Struct
from msgspec.json import Encoder
from msgspec.structs import asdict

from ingest.fields import wrong
from ingest.values import canonical_tokens
from schemas.events import FORBIDDEN_CHARS
from schemas.rejects import Reason, Rejected


class Line(Struct, gc=False):
    """Keys in the order of schemas.events.COLUMNS; a test holds the two equal."""

    tenant: str
    received_at: str
    source: str
    id: str
    type: str
    user_id: str
    time: str
    team_id: str
    product_id: str
    access: str
    tokens: str
    product_version: str
    session_id: str
    feature_id: str
    cost_center: str


# What a sender calls otherwise than the log does.
_PATHS = {"user_id": "subject"} | {
    name: f"data.{name}"
    for name in (
        "team_id",
        "product_id",
        "product_version",
        "session_id",
        "feature_id",
        "cost_center",
    )
}
_encode = Encoder().encode


def encoded(line: Line) -> bytes:
    """The line; raises Rejected for a character that no string may hold.

    JSON escapes control characters, so a line without a backslash in plain ASCII has none:
    only the other few are looked at string by string.
    """
    try:
        text = _encode(line)
    except UnicodeEncodeError:  # a lone surrogate
        text = b"\\"
    if b"\\" in text or b"\x7f" in text or not text.isascii():
        _check_chars(line)
    return text


def amount(tokens: Raw) -> str:
    """The amount in its one way of writing, of a number or a string in JSON; raises Rejected."""
    text = bytes(tokens).decode()
    found = canonical_tokens(text[1:-1] if text.startswith('"') else text)
    if found is None:
        raise wrong(
            None if text in ("", "null") else text,
            "data.tokens",
            "is a decimal number above 0, with at most 4 decimals, at most 1000000",
        )
    return found


def _check_chars(line: Line) -> None:
    for name, value in asdict(line).items():
        if FORBIDDEN_CHARS.search(value):
            path = _PATHS.get(name, name)
            raise Rejected(
                Reason.INVALID_FIELD,
                f"{path} holds a control character or a lone surrogate.",
                field=path,
            )
