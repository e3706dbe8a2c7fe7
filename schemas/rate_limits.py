"""What one tenant may ask of one process each second: token buckets, one for each tenant.

A tenant that asks too much waits by itself: no other's bucket gets emptier.
Time is an argument, in seconds of a clock that never goes back.

Next: ingest.bodies
"""

import math
import threading

from schemas.rejects import Reason, Rejected


class RateLimited(Rejected):
    """Over the rate; `retry_after_seconds` says when to come back."""

    def __init__(self, what: str, retry_after_seconds: int) -> None:
        super().__init__(Reason.RATE_LIMITED, f"The tenant sends too many {what} a second.")
        self.retry_after_seconds = retry_after_seconds


class RateLimits:
    """One bucket a tenant, which holds a second's worth of `what` when full. Any thread may call.

    A request is let in while its bucket is not empty and may take it below zero: so a batch
    larger than the bucket gets through, and is paid for by waiting.
    """

    def __init__(self, what: str, per_second: int) -> None:
        self._what = what
        self._rate = per_second
        # Of tenants with a valid key alone, so there are never more than tenants.
        self._buckets: dict[str, tuple[float, float]] = {}
        self._turn = threading.Lock()

    def take(self, tenant: str, count: int, now: float) -> None:
        """Take `count` (0 only asks) at `now`; raises RateLimited."""
        with self._turn:
            level, at = self._buckets.get(tenant, (float(self._rate), now))
            level = min(float(self._rate), level + (now - at) * self._rate)
            if level > 0:
                self._buckets[tenant] = (level - count, now)
                return
        raise RateLimited(self._what, math.ceil((1 - level) / self._rate))
