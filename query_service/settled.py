"""Which settled months a question takes from monthly rows: those that its range does not cut.

Next: query_service.chosen
"""

import calendar
from collections.abc import Collection
from datetime import date
from typing import Any

from query_service.ranges import Range
from sinks.settle import Settled


def months_of(settled: Settled, when: Range) -> dict[str, Any]:
    """The parameters for a question about `when`, which sees everything up to as_of."""
    return _parameters(settled, [month for month in settled.attempts if is_whole(month, when)])


def all_months(settled: Settled) -> dict[str, Any]:
    """The parameters for a question about everything that is retained."""
    return _parameters(settled, settled.attempts)


def is_whole(month: int, when: Range) -> bool:
    """Whether as_of is after the `month` (202602), and no border of R lies in it."""
    year, number = divmod(month, 100)
    first = date(year, number, 1)
    last = date(year, number, calendar.monthrange(year, number)[1])
    inside = when.start <= first and last <= when.end
    outside = last < when.start or when.end < first
    return last < when.as_of_day and (inside or outside)


def _parameters(settled: Settled, months: Collection[int]) -> dict[str, Any]:
    return {
        "settled_months": sorted(months),
        "settled_attempts": sorted(settled.attempts[month] for month in months),
        "settled_until": settled.usable_until,
    }
