"""Figures of a bench: medians, ratios run by run, percentiles, and whether a goal is met."""

import pytest

from tests.bench.results import COLUMNS, Comparison, Delay, percentile


def compared(**changes):
    """Three runs of two sides."""
    made = {
        "what": "worker",
        "against": "a peer",
        "unit": "events/s",
        "ours": [30.0, 10.0, 20.0],
        "peer": [10.0, 10.0, 5.0],
        "goal": 3.0,
    }
    return Comparison(**made | changes)


def test_ratios_are_of_the_same_run():
    """A run of ours is compared with the peer's run beside it, not with its median."""
    assert compared().ratios == [3.0, 1.0, 4.0]


@pytest.mark.parametrize(("goal", "met"), [(2.9, True), (3.0, True), (3.1, False)])
def test_the_median_decides(goal, met):
    """A goal is met by the median of the ratios."""
    assert compared(goal=goal).is_met is met


def test_a_delay_has_to_be_short():
    """A delay meets its goal from below."""
    assert Delay("p50", "load", [0.5, 0.9, 3.0], 1.0).is_met
    assert not Delay("p50", "load", [0.5, 1.1, 3.0], 1.0).is_met


@pytest.mark.parametrize(
    ("percent", "value"), [(0, 1), (1, 1), (50, 50), (50.5, 51), (99, 99), (100, 100)]
)
def test_percentiles_are_values_that_occurred(percent, value):
    """Nearest rank: so many per cent of the values are not above it."""
    assert percentile(range(100, 0, -1), percent) == value


def test_both_kinds_fill_the_table():
    """Every line has a cell for every column."""
    for each in (compared(), Delay("p50", "load", [0.5], 1.0)):
        assert len(each.cells()) == len(COLUMNS)
