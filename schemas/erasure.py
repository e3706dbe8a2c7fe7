"""How an erased user is known again without being named: a hash under the tenant's secret.

No part of it is the stand-in that reports show where personal data is hidden.

Next: aggregators.erased
"""

import hashlib
import hmac

_PURPOSE = b"erased\0"


def erased_hash(secret: bytes, user_id: str) -> str:
    """64 hexadecimal digits: HMAC-SHA256 of `user_id`, with a purpose of its own."""
    return hmac.digest(secret, _PURPOSE + user_id.encode(), hashlib.sha256).hex()
