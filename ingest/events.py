"""An event with every attribute in its place.

A usual body is decoded into events in one go; the others go through ingest.parse and are looked at
attribute by attribute, to say what is wrong with which of them.

Next: ingest.accept
"""

from typing import Annotated, Literal

from msgspec import Meta, MsgspecError, Raw, Struct
from msgspec.json import Decoder

from ingest.bodies import Form
from schemas.events import MAX_IDENTITY_CHARS, MAX_NAME_CHARS

_Identity = Annotated[str, Meta(min_length=1, max_length=MAX_IDENTITY_CHARS)]
_Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARS)]
_Note = Annotated[str, Meta(max_length=MAX_NAME_CHARS)]


class Data(Struct, gc=False):
    """What happened; `tokens` as JSON, whatever it is."""

    team_id: _Name
    product_id: _Name
    access: Literal["subscription", "flex"] | None = None
    tokens: Raw = Raw()
    product_version: _Note | None = None
    session_id: _Note | None = None
    feature_id: _Note | None = None
    cost_center: _Note | None = None


class Event(Struct, gc=False):
    """A CloudEvent of ours. Times, amounts and characters are still to be looked at."""

    specversion: Literal["1.0"]
    id: _Identity
    source: _Identity
    type: Literal["product.launched", "tokens.consumed"]
    subject: _Identity
    data: Data
    time: str | None = None


_ONE, _MANY = Decoder(Event), Decoder(list[Event])


def decode(body: bytes, form: Form) -> list[Event] | None:
    """The events of a `body` in which all is as usual, else None; Form.BINARY never is."""
    try:
        # Strings of attributes that nobody asks for are not looked into otherwise.
        body.decode()
        if form is Form.LINES:
            return [_ONE.decode(line) for line in body.split(b"\n") if line.strip(b" \t\r")]
        if form is Form.MANY and body.lstrip(b" \t\r\n").startswith(b"["):
            return _MANY.decode(body)
        return [_ONE.decode(body)]
    except (MsgspecError, UnicodeDecodeError, RecursionError):
        return None
