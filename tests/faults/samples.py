"""What a soak samples along the way: memory and descriptors of each service, lag, latency.

Next: tests.faults.plot
"""

import itertools
import math
import statistics
import threading
import time
from contextlib import suppress
from typing import Any, NamedTuple

from schemas.rejects import Unavailable
from tests.faults.memory import MEGABYTE, descriptors, own_bytes
from tests.faults.run import Run

EVERY_SECONDS = 5.0
# These are never killed: what they take at the end they would take for ever.
STEADY = ("gateway-2", "worker-2", "query")
WATCHED = ("gateway-1", "worker-1", *STEADY)
# The first part of a soak fills caches and pools.
WARM_UP_SHARE = 0.33
# For certain, see decision 0007.
SLOPE_PER_HOUR = 0.01
# A burst takes memory and gives it back; what is left at the lowest moment of each is what counts.
FLOOR_SECONDS = 120.0
# Of the normal distribution, in standard deviations.
_NINETY_PERCENT = 1.645
DESCRIPTORS_MORE = 10


class Samples(threading.Thread):
    """Samples until stopped; times are seconds since the start."""

    def __init__(self, run: Run) -> None:
        super().__init__(daemon=True, name="samples")
        self._run = run
        self._stopped = threading.Event()
        self._began = time.monotonic()
        self.seconds: list[float] = []
        self.memory_mib: dict[str, list[float]] = {name: [] for name in WATCHED}
        self.descriptors: dict[str, list[int]] = {name: [] for name in WATCHED}
        self.lag: list[int | None] = []
        self.latency: list[float | None] = []
        self.marks: list[tuple[float, str]] = []

    def run(self) -> None:
        """Sample until stopped."""
        while not self._stopped.wait(EVERY_SECONDS):
            self._sample()

    def mark(self, fault: str) -> None:
        """A fault begins."""
        self.marks.append((round(time.monotonic() - self._began, 1), fault))

    def stop(self) -> None:
        """Sample no more."""
        self._stopped.set()
        self.join()

    def _sample(self) -> None:
        now = time.monotonic()
        self.seconds.append(round(now - self._began, 1))
        for name in WATCHED:
            pid = self._run.system.pid(name)
            self.memory_mib[name].append(round(own_bytes(pid) / MEGABYTE, 1))
            self.descriptors[name].append(descriptors(pid))
        lag = None
        with suppress(Unavailable):
            lag = sum(self._run.broker.offsets(patience_seconds=0).lag.values())
        self.lag.append(lag)
        recent = [s for at, s in list(self._run.load.answered) if at > now - EVERY_SECONDS]
        self.latency.append(round(statistics.median(recent), 4) if recent else None)

    def steady(self) -> dict[str, dict[str, float]]:
        """Of each process that was never killed: what it took after the warm-up, and its slope."""
        first = int(len(self.seconds) * WARM_UP_SHARE)
        hours = [seconds / 3600 for seconds in self.seconds[first:]]
        return {name: self._steady(name, first, hours) for name in STEADY}

    def _steady(self, name: str, first: int, hours: list[float]) -> dict[str, float]:
        memory, open_files = self.memory_mib[name][first:], self.descriptors[name][first:]
        slope, median = slope_of_floors(hours, memory), statistics.median(memory)
        half = len(open_files) // 2
        return {
            "memory_mib": round(median, 1),
            "slope_mib_per_hour": round(slope.likely, 2),
            "slope_share_per_hour": round(slope.likely / median, 4),
            "slope_share_at_least": round(slope.least / median, 4),
            "slope_share_at_most": round(slope.most / median, 4),
            "descriptors_first_half": statistics.median(open_files[:half]),
            "descriptors_second_half": statistics.median(open_files[half:]),
            "descriptors_most": max(open_files),
        }

    def leaks(self) -> list[str]:
        """What grew where nothing should, and not by chance: an hour tells 1 % only so well."""
        found = []
        for name, what in self.steady().items():
            if what["slope_share_at_least"] > SLOPE_PER_HOUR:
                found.append(f"{name} grows by {what['slope_mib_per_hour']} MiB an hour")
            more = what["descriptors_second_half"] - what["descriptors_first_half"]
            if more > DESCRIPTORS_MORE:
                found.append(f"{name} has {more} descriptors more in the second half")
        return found

    def as_json(self) -> dict[str, Any]:
        """Every sample."""
        names = ("seconds", "memory_mib", "descriptors", "lag", "latency", "marks")
        return {name: getattr(self, name) for name in names}


class Slope(NamedTuple):
    """Growth an hour, and the least and the most that it may be (90 % are in between)."""

    likely: float
    least: float
    most: float


def slope_of_floors(hours: list[float], memory: list[float]) -> Slope:
    """How much more an hour it is at its lowest of each window: the Theil-Sen slope.

    The median over all pairs of windows: one step at an edge, where least squares sees a slope,
    is none; what grows through the whole time is one, in however many steps. The interval is
    Kendall's: so many pairs off the median as chance orders another way (Sen 1968).
    """
    windows = max(2, round((hours[-1] - hours[0]) * 3600 / FLOOR_SECONDS))
    size = math.ceil(len(hours) / windows)
    floors = [
        (statistics.mean(hours[start : start + size]), min(memory[start : start + size]))
        for start in range(0, len(hours), size)
    ]
    slopes = sorted(
        (late - early) / (then - before)
        for (before, early), (then, late) in itertools.combinations(floors, 2)
    )
    count = len(floors)
    chance = _NINETY_PERCENT * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    off = min(len(slopes), round(chance)) / 2
    middle = (len(slopes) - 1) / 2
    least, most = max(0, math.floor(middle - off)), min(len(slopes) - 1, math.ceil(middle + off))
    return Slope(statistics.median(slopes), slopes[least], slopes[most])
