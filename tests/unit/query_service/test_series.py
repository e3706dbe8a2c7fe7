"""The intervals of a series."""

from datetime import UTC, date, datetime

from query_service.ranges import Range
from query_service.series import starts

RANGE = Range(date(2026, 1, 30), date(2026, 3, 2), datetime(2026, 3, 2, tzinfo=UTC), None)


def test_days():
    """Every day of R, and no other."""
    days = list(starts(RANGE, "day"))
    assert (days[0], days[-1], len(days)) == (RANGE.start, RANGE.end, RANGE.days)


def test_weeks_start_on_monday():
    """The first may begin before R."""
    weeks = [date(2026, 1, 26), date(2026, 2, 2), date(2026, 2, 9), date(2026, 2, 16)]
    assert list(starts(RANGE, "week")) == [*weeks, date(2026, 2, 23), date(2026, 3, 2)]


def test_months():
    """By their first days."""
    assert list(starts(RANGE, "month")) == [
        date(2026, 1, 1),
        date(2026, 2, 1),
        date(2026, 3, 1),
    ]
