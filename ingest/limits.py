"""The rate of events that one tenant may send through one gateway: a token bucket each.

Time is an argument, in seconds of a clock that never goes back.

Next: ingest.bodies
"""

import math

from schemas.rejects import Reason, Rejected


class RateLimited(Rejected):
    """Over the rate; `retry_after_seconds` says when to come back."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(Reason.RATE_LIMITED, "The tenant sends too many events a second.")
        self.retry_after_seconds = retry_after_seconds


class Limits:
    """One bucket a tenant, which holds a second's worth of events when full.

    A request is let in while its bucket is not empty and may take it below zero: so a batch
    larger than the bucket gets through, and is paid for by waiting.
    """

    def __init__(self, events_per_second: int) -> None:
        self._rate = events_per_second
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, tenant: str, events: int, now: float) -> None:
        """Take `events` (0 only asks) at `now`; raises RateLimited."""
        level, at = self._buckets.get(tenant, (float(self._rate), now))
        level = min(float(self._rate), level + (now - at) * self._rate)
        if level <= 0:
            raise RateLimited(math.ceil((1 - level) / self._rate))
        self._buckets[tenant] = (level - events, now)
