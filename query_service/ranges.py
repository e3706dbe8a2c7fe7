"""Which days a report covers, and how many months that is, exactly.

Next: query_service.report
"""

import calendar
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

PRESETS = {"30d": 1, "3m": 3, "6m": 6, "9m": 9, "12m": 12}
DEFAULT_PRESET = "3m"
MAX_DAYS = 367
DAYS_PER_MONTH = Fraction(304_375, 10_000)
# ClickHouse's Date begins here.
FIRST_DAY = date(1970, 1, 1)


@dataclass(frozen=True)
class Range:
    """R = [`start`, `end`], inclusive UTC dates, seen at the moment `as_of`."""

    start: date
    end: date
    as_of: datetime
    preset: str | None

    @property
    def days(self) -> int:
        """Days in R."""
        return (self.end - self.start).days + 1

    @property
    def as_of_day(self) -> date:
        """D(as_of)."""
        return self.as_of.astimezone(UTC).date()

    @property
    def months(self) -> Fraction:
        """Months in R: what averages are divided by, never less than one."""
        if self.preset:
            return Fraction(PRESETS[self.preset])
        return max(Fraction(1), self.days / DAYS_PER_MONTH)

    def frequent_from(self, days_per_month: Fraction) -> int:
        """The fewest days used whose unrounded monthly average reaches `days_per_month`."""
        return math.ceil(days_per_month * self.months)

    def describe(self) -> dict[str, str | None]:
        """The answer's `range`; `months` with at most three decimals."""
        return {
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "preset": self.preset,
            "months": f"{round_half_up(self.months, 3):f}".rstrip("0").rstrip("."),
        }


def preset_range(preset: str, as_of: datetime) -> Range:
    """The rolling range that ends at D(as_of)."""
    end = as_of.astimezone(UTC).date()
    start = end - timedelta(days=29) if preset == "30d" else _months_back(end, PRESETS[preset])
    return Range(max(start, FIRST_DAY), end, as_of, preset)


def round_half_up(value: Fraction, decimals: int) -> float:
    """`value` (not negative) with `decimals` decimals, a half rounded up."""
    scale: int = 10**decimals
    return math.floor(value * scale + Fraction(1, 2)) / scale


def _months_back(day: date, months: int) -> date:
    """The same day `months` calendar months earlier, clamped to that month's end."""
    index = day.year * 12 + day.month - 1 - months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
