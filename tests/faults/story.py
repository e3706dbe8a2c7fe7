"""What was done when: the story of a run, on standard error as it happens and in its report.

Next: tests.faults.run
"""

import sys
import threading
import time


class Story:
    """Lines with the seconds since the run began; threads may tell at once."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.lines: list[tuple[float, str]] = []
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def tell(self, what: str) -> None:
        """Note it."""
        with self._lock:
            after = time.monotonic() - self._began
            self.lines.append((round(after, 2), what))
            print(f"{self.title} {after:7.2f} {what}", file=sys.stderr, flush=True)

    def count(self, beginning: str) -> int:
        """How many lines begin so."""
        with self._lock:
            return sum(line.startswith(beginning) for _, line in self.lines)
