"""A client's events posted to a gateway: what the answer means for who has them on disk.

Next: ingest.routes
"""

import gzip
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

_ANSWER_SECONDS = 30.0
_LONGEST_RETRY_SECONDS = 3_600.0
_TOO_LARGE = 413
_FAST = 1  # gzip's level


@dataclass(frozen=True)
class Answer:
    """How many events were accepted, and which were refused for good; or why there is none.

    `is_final`: each of the events was judged. Otherwise they may be sent again, as they are.
    """

    status: int
    accepted: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)
    is_final: bool = True
    reason: str = ""
    retry_after_seconds: float = 0.0

    @property
    def is_about_size(self) -> bool:
        """Fewer of them may do."""
        return self.status == _TOO_LARGE


def post(url: str, key: str, lines: Sequence[bytes]) -> Answer:
    """Send these lines, and wait for what comes of it; raises nothing that a network does."""
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/x-ndjson",
        "Content-Encoding": "gzip",
    }
    body = gzip.compress(b"\n".join(lines), _FAST)
    try:
        request = Request(url, body, headers)  # noqa: S310  -- the address is the product's own
        with urlopen(request, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310  -- the same
            return _judged(answer.status, answer.read(), len(lines))
    except HTTPError as error:
        told = b""
        with error, suppress(OSError, HTTPException):
            told = error.read()
        return _judged(error.code, told, len(lines), error.headers.get("Retry-After", ""))
    except (OSError, HTTPException) as error:
        return Answer(0, is_final=False, reason=str(error))
    except ValueError:  # its text may hold the key
        return Answer(0, is_final=False, reason="no such address, or no such key, can be")


def _judged(status: int, body: bytes, count: int, retry_after: str = "") -> Answer:
    """Final is what tells of every event: 202, and 400 or 403 where all were refused."""
    try:
        told = json.loads(body)
        accepted, rejected = int(told["accepted"]), [dict(each) for each in told["rejected"]]
    except (ValueError, KeyError, TypeError):
        accepted, rejected = 0, []
    if accepted + len(rejected) == count:
        return Answer(status, accepted, rejected)
    is_number = retry_after.isascii() and retry_after.isdigit()
    seconds = min(float(retry_after), _LONGEST_RETRY_SECONDS) if is_number else 0.0
    return Answer(status, is_final=False, reason=f"status {status}", retry_after_seconds=seconds)
