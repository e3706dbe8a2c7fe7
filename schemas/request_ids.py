"""The id that a request is called by in answers, logs, records and the audit log.

Next: schemas.security_headers
"""

import re
from uuid import uuid4

HEADER = "X-Request-Id"
# What no log, header or sheet reads as anything but a word; an e-mail address is none.
_HARMLESS = re.compile(r"[A-Za-z0-9._:-]{1,64}").fullmatch


def given_id(headers: list[tuple[bytes, bytes]]) -> str:
    """The sender's own id of a request with these headers of ASGI; empty if none is harmless."""
    values = [value for name, value in headers if name == b"x-request-id"]
    text = values[0].decode("latin-1") if len(values) == 1 else ""
    return text if _HARMLESS(text) else ""


def new_id() -> str:
    """An id that no other request has."""
    return uuid4().hex
