"""Events must be kept longer than any record that may hold them again."""

import math

import pytest

from aggregators.retention import check_retention
from schemas.rejects import PersonNeeded

MADE = "ReplacingMergeTree(first) ORDER BY (tenant, id){} SETTINGS index_granularity = 8192"
ENOUGH = 35 + 7 + 7


def check(ttl, log_days=7.0):
    """As the worker does at its start; `ttl` as ClickHouse writes it."""
    check_retention(MADE.format(ttl), log_days)


@pytest.mark.parametrize(
    "ttl",
    [
        f" TTL day + toIntervalDay({ENOUGH})",
        " TTL day + toIntervalDay(30) RECOMPRESS CODEC(ZSTD(3)), day + toIntervalDay(408)",
        " TTL toDate(time) + toIntervalMonth(1) TO VOLUME 'cold', day + toIntervalDay(408)",
        "",
    ],
)
def test_events_that_outlive_the_log_are_fine(ttl):
    """By days, by days beside moves and compression, or for ever."""
    check(ttl)


@pytest.mark.parametrize(
    ("ttl", "log_days"),
    [
        (f" TTL day + toIntervalDay({ENOUGH - 1})", 7.0),
        (f" TTL day + toIntervalDay({ENOUGH})", 8.0),
        (" TTL day + toIntervalDay(408)", math.inf),
        (" TTL day + toIntervalDay(408), day + toIntervalDay(40)", 7.0),
    ],
)
def test_a_log_that_outlives_events_stops(ttl, log_days):
    """Both are named, and so is what to change."""
    with pytest.raises(PersonNeeded, match=r"usage_events keeps .* the topic keeps") as stopped:
        check(ttl, log_days)
    assert "retention.ms" in stopped.value.remedy


@pytest.mark.parametrize("ttl", ["day + toIntervalMonth(14)", "toDate(time) + toIntervalDay(500)"])
def test_a_ttl_of_another_form_is_not_guessed(ttl):
    """A person says it in days."""
    with pytest.raises(PersonNeeded, match="can't be judged"):
        check(f" TTL {ttl}")


def test_an_endless_log_needs_endless_events():
    """Nothing is ever deleted on either side."""
    check("", math.inf)
