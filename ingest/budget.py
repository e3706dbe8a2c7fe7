"""The bytes that may be in memory at once: bodies being read, events waiting for the broker.

Above it requests are refused at once, so memory stays bounded whatever is away or slow.

Next: ingest.bodies
"""

from prometheus_client import Gauge

from schemas.rejects import Unavailable


class Budget:
    """A count of bytes with a limit, kept on the event loop's thread."""

    def __init__(self, limit_bytes: int, gauge: Gauge) -> None:
        self.used_bytes = 0
        self._limit_bytes = limit_bytes
        gauge.set_function(lambda: self.used_bytes)

    def take(self, count_bytes: int) -> None:
        """Count bytes in; raises Unavailable when that would pass the limit."""
        if self.used_bytes + count_bytes > self._limit_bytes:
            raise Unavailable("buffer", "full")
        self.used_bytes += count_bytes

    def give(self, count_bytes: int) -> None:
        """Count bytes out again."""
        self.used_bytes -= count_bytes
