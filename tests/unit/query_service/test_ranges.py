"""Ranges, months and averages, by the definitions' own examples."""

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

from query_service.ranges import Range, preset_range, round_half_up


def at(day):
    """Noon of a day."""
    return datetime.fromisoformat(f"{day}T12:00:00+00:00")


def custom(start, end):
    """A custom range, seen at its end."""
    return Range(date.fromisoformat(start), date.fromisoformat(end), at(end), None)


@pytest.mark.parametrize(
    ("preset", "day", "start"),
    [
        ("3m", "2026-05-31", "2026-02-28"),
        ("3m", "2026-03-15", "2025-12-15"),
        ("30d", "2026-03-15", "2026-02-14"),
        ("12m", "2024-02-29", "2023-02-28"),
        ("3m", "2024-05-30", "2024-02-29"),
        ("9m", "2026-12-31", "2026-03-31"),
        ("6m", "2026-01-31", "2025-07-31"),
        ("12m", "1970-03-01", "1970-01-01"),
    ],
)
def test_presets_roll_and_clamp(preset, day, start):
    """A preset ends at D(as_of); Nm begins on the same day N months earlier, clamped."""
    when = preset_range(preset, at(day))
    assert (when.start, when.end) == (date.fromisoformat(start), date.fromisoformat(day))


@pytest.mark.parametrize(
    ("when", "months"),
    [
        (preset_range("30d", at("2026-03-15")), Fraction(1)),
        (preset_range("9m", at("2026-03-15")), Fraction(9)),
        (custom("2026-01-01", "2026-02-14"), Fraction(45 * 10_000, 304_375)),
        (custom("2026-01-01", "2026-01-01"), Fraction(1)),
        (custom("2026-01-01", "2026-01-30"), Fraction(1)),
        (custom("2026-01-01", "2026-01-31"), Fraction(31 * 10_000, 304_375)),
    ],
)
def test_months(when, months):
    """A preset's number, or days over 30.4375, but never less than one."""
    assert when.months == months


def test_the_utc_date_of_as_of_counts():
    """A moment in another zone belongs to its UTC date."""
    moment = datetime.fromisoformat("2026-03-15T23:30:00-05:00")
    assert preset_range("30d", moment).end == date(2026, 3, 16)


def test_averages_round_half_up():
    """Definitions, example 4, and a half, which never goes to the even neighbour."""
    assert round_half_up(Fraction(20, 3), 1) == 6.7
    assert round_half_up(20 / custom("2026-01-01", "2026-02-14").months, 1) == 13.5
    assert round_half_up(Fraction("0.25"), 1) == 0.3
    assert round_half_up(Fraction("0.35"), 1) == 0.4


@pytest.mark.parametrize(
    ("when", "least"),
    [
        (preset_range("30d", at("2026-03-15")), 7),
        (preset_range("3m", at("2026-03-15")), 21),
        (custom("2026-01-01", "2026-02-14"), 11),
    ],
)
def test_the_fewest_days_that_are_frequent(when, least):
    """The unrounded monthly average is compared: 7 days a month over 1.478 months are 11 days."""
    assert when.frequent_from(Fraction(7)) == least
    assert least / when.months >= 7 > (least - 1) / when.months


def test_a_range_in_an_answer():
    """Dates as they are, months with at most three decimals."""
    assert custom("2026-01-01", "2026-02-14").describe() == {
        "from": "2026-01-01",
        "to": "2026-02-14",
        "preset": None,
        "months": "1.478",
    }
    assert preset_range("3m", datetime(2026, 3, 15, tzinfo=UTC)).describe()["months"] == "3"
