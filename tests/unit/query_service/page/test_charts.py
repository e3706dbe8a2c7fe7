"""Marks stand where their numbers say."""

from datetime import UTC, date, datetime

import pytest

from query_service.page import charts
from query_service.ranges import Range

MARCH = Range(date(2026, 3, 1), date(2026, 3, 31), datetime(2026, 4, 1, tzinfo=UTC), None)


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
    chart = charts.over_time(series, measure="launches", group="product", when=MARCH)
    low, high, second = chart.marks
    assert chart.groups == ("b", "a")
    assert (low.title, high.title) == ("1 Mar 2026, b, 6", "1 Mar 2026, a, 2")
    assert low.height == pytest.approx(3 * high.height, abs=0.2)
    assert high.y + high.height == pytest.approx(low.y, abs=0.1)
    assert second.height == pytest.approx(high.height)
    told = "from 1 Mar 2026 to 31 Mar 2026: 10 in all, at most 8 at a time"
    assert told in chart.summary


def test_many_groups_become_others():
    """Nothing is left out of the sum."""
    series = [
        entry("2026-03-01", team=f"team-{number}", launches=10 - number) for number in range(9)
    ]
    chart = charts.over_time(series, measure="launches", group="team", when=MARCH)
    assert chart.groups[-1] == charts.OTHERS
    assert len(chart.groups) == charts.COLOURS + 1
    assert chart.marks[-1].title.endswith("Others, 5")


def test_users_of_groups_do_not_add_up():
    """One user of two products is one user: bars stand side by side, from the ground."""
    series = [
        entry("2026-03-01", product="a", product_id="1", users=5),
        entry("2026-03-01", product="a", product_id="2", users=4),
    ]
    chart = charts.over_time(series, measure="users", group="product", when=MARCH)
    first, second = chart.marks
    assert chart.groups == ("a", "a")
    assert first.y + first.height == pytest.approx(second.y + second.height, abs=0.1)
    assert first.x + first.width == pytest.approx(second.x, abs=0.1)
    assert chart.summary == "Users: at most 5 of one product at a time."


def test_nothing_is_drawn_of_nothing():
    """And said so."""
    assert charts.over_time([], measure="launches", group="", when=MARCH).marks == ()
    assert charts.burn_down([], []).summary == "There are no tokens."


@pytest.mark.parametrize(("first_ahead", "lines"), [("2026-03-03", 3), ("2026-05-01", 2)])
def test_a_forecast_begins_where_the_past_ends(first_ahead, lines):
    """Or is not drawn: two days beside each other are two days."""
    past = [{"day": f"2026-03-0{day}", "remaining": "9"} for day in (1, 2)]
    chart = charts.burn_down(past, [{"day": first_ahead, "remaining": "8"}])
    assert len(chart.across) == lines


def test_days_of_months():
    """A month without use is there."""
    days = [date(2026, 3, 1), date(2026, 3, 31), date(2026, 5, 2)]
    months = [date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)]
    assert charts.spark(days, months) == (
        ("Mar 2026", 2, 7),
        ("Apr 2026", 0, 0),
        ("May 2026", 1, 4),
    )
