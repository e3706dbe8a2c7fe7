"""Retry in place while a dependency is away: with back-off, without an end, and said aloud.

Next: aggregators.pipeline
"""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog

from schemas.metrics import WorkerMetrics
from schemas.rejects import Unavailable

log = structlog.get_logger()

T = TypeVar("T")

_FIRST_SECONDS = 0.1
_LONGEST_SECONDS = 5.0


class Patience:
    """Calls that may block or find a dependency away, each in a thread.

    `waiting` counts calls that wait for a dependency now, and `waited_until` is when the last one
    ended, on the monotonic clock: that time is nobody's stall.
    """

    def __init__(self, metrics: WorkerMetrics) -> None:
        self._metrics = metrics
        self.waiting = 0
        self.waited_until = 0.0

    async def call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """The function's answer, once it does not raise Unavailable; other errors are raised."""
        delay = _FIRST_SECONDS
        try:
            while True:
                try:
                    return await asyncio.to_thread(function, *args, **kwargs)
                except Unavailable as error:
                    self._metrics.sink_errors.labels(error.what).inc()
                    log.warning("waiting", what=error.what, error=str(error), seconds=delay)
                self.waiting += delay == _FIRST_SECONDS
                await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
                delay = min(delay * 2, _LONGEST_SECONDS)
        finally:
            if delay > _FIRST_SECONDS:
                self.waiting -= 1
                self.waited_until = time.monotonic()
