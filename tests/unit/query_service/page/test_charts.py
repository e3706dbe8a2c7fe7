"""Marks stand where their numbers say."""

from datetime import date

import pytest

from query_service.page import charts


def entry(start, **numbers):
    """A piece of a daily series."""
    return {"start": start, "launches": 0, "tokens_used": "0", "users": 0, **numbers}


@pytest.mark.parametrize(
    ("most", "top"), [(0, 1), (1, 1), (1.2, 2), (3, 5), (7, 10), (10, 10), (101, 200), (0.03, 0.05)]
)
def test_the_scale_ends_at_a_round_number(most, top):
    """Not below what it has to show."""
    assert charts.ceiling(most) == pytest.approx(top)


def test_bars_are_as_high_as_their_numbers():
    """And stand on one another, the largest group lowest."""
    series = [
        entry("2026-03-01", product="a", launches=2),
        entry("2026-03-01", product="b", launches=6),
        entry("2026-03-02", product="a", launches=0),
        entry("2026-03-02", product="b", launches=2),
    ]
    chart = charts.stacked(series, measure="launches", group="product")
    low, high, second = chart.marks
    assert chart.groups == ("b", "a")
    assert (low.title, high.title) == ("1 Mar 2026, b, 6", "1 Mar 2026, a, 2")
    assert low.height == pytest.approx(3 * high.height, abs=0.2)
    assert high.y + high.height == pytest.approx(low.y, abs=0.1)
    assert second.height == pytest.approx(high.height)
    assert "10 in all, at most 8 at a time" in chart.summary


def test_many_groups_become_others():
    """Nothing is left out of the sum."""
    series = [
        entry("2026-03-01", team=f"team-{number}", launches=10 - number) for number in range(9)
    ]
    chart = charts.stacked(series, measure="launches", group="team")
    assert chart.groups[-1] == charts.OTHERS
    assert len(chart.groups) == charts.COLOURS + 1
    assert chart.marks[-1].title.endswith("Others, 5")


def test_nothing_is_drawn_of_nothing():
    """And said so."""
    assert charts.stacked([], measure="launches", group="").marks == ()
    assert charts.burn_down([], []).summary == "There are no tokens."


def test_days_of_months():
    """A month without use is there."""
    days = [date(2026, 3, 1), date(2026, 3, 31), date(2026, 5, 2)]
    months = [date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)]
    assert charts.spark(days, months) == (
        ("Mar 2026", 2, 7),
        ("Apr 2026", 0, 0),
        ("May 2026", 1, 4),
    )
