"""Who sends: the key in the request's headers, and what it may do.

The tenant comes from the key alone, never from a body or a query string.

Next: schemas.rate_limits
"""

import asyncio
from collections.abc import Mapping

from schemas.rejects import Reason, Rejected
from sinks.key_ring import KeyRing
from sinks.keys import Key


async def authenticate(ring: KeyRing, headers: Mapping[str, str]) -> Key:
    """The key of `Authorization: Bearer …` or `X-API-Key`, with the scope to send events.

    Raises Rejected: unauthorized, or forbidden when the scope is missing; raises Unavailable.
    """
    token = _token(headers)
    key = ring.find(token) if token else None
    if token and key is None:
        key = await asyncio.to_thread(ring.look_again, token)
    if key is None:
        raise Rejected(Reason.UNAUTHORIZED, "Send a valid key: Authorization: Bearer ur_…")
    if not key.allows("ingest"):
        raise Rejected(Reason.FORBIDDEN, "The key has no scope to send events.")
    return key


def _token(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return headers.get("x-api-key", "").strip()
