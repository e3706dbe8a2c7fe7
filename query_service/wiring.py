"""What the routes work with, made once when the process starts.

Next: query_service.auth
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Annotated, cast

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from query_service.lag import LagReader
from query_service.store import Store
from schemas.metrics import QueryMetrics
from schemas.rate_limits import RateLimits
from schemas.settings import QuerySettings
from sinks.key_ring import KeyRing


@dataclass(frozen=True)
class Wiring:
    """The parts of a running query service. `now` tells the time, in UTC."""

    settings: QuerySettings
    registry: CollectorRegistry
    metrics: QueryMetrics
    store: Store
    ring: KeyRing
    lag: LagReader
    limits: RateLimits
    now: Callable[[], datetime]

    @property
    def frequent(self) -> Fraction:
        """Days a month from which use without prices is frequent."""
        return Fraction(str(self.settings.frequent_days_per_month))


def wiring(request: Request) -> Wiring:
    """The parts of the service that answers this request."""
    return cast("Wiring", request.app.state.wiring)


Wired = Annotated[Wiring, Depends(wiring)]
