"""The generator: repeatable by seed, exact in its shares, always acceptable to a gateway."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.generate import ACCEPTED_DAYS, Load, lines
from schemas.events import MAX_BACK, TYPES

UNTIL = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)


def make_load(**changed) -> Load:
    """A small load, one field changed per test."""
    fields = {"events": 2_000, "users": 50, "days": 30, "until": UNTIL, "seed": 7}
    return Load(**{**fields, **changed})


def events_of(load: Load) -> list[dict]:
    """The load's lines, decoded, in order of arrival."""
    return [json.loads(line) for line in lines(load)]


def moment(event: dict) -> datetime:
    """When the event says it happened."""
    return datetime.fromisoformat(event["time"])


def test_the_same_load_makes_the_same_lines():
    """Equal loads give equal lines; another seed gives others, without a shared identity."""
    load = make_load(duplicates=0.1, late=0.05)
    assert list(lines(load)) == list(lines(load))
    ids = {event["id"] for event in events_of(load)}
    assert ids.isdisjoint(event["id"] for event in events_of(make_load(seed=8)))


@settings(max_examples=40, deadline=None)
@given(
    events=st.integers(0, 400),
    days=st.integers(1, ACCEPTED_DAYS),
    duplicates=st.integers(0, 60),
    late=st.integers(0, 40),
    seed=st.integers(0, 1_000),
)
def test_counts_are_exact(events, days, duplicates, late, seed):
    """Lines, distinct events and repeated lines are exactly the numbers that were asked for."""
    load = make_load(
        events=events, days=days, duplicates=duplicates / 100, late=late / 100, seed=seed
    )
    seen = Counter(lines(load))
    assert seen.total() == events
    repeated = min(round(events * load.duplicates), max(0, events - 1))
    assert len(seen) == load.distinct_events == events - repeated


def test_late_events_arrive_behind_later_ones():
    """Without late events each day's lines are in order of time; with them, exactly so many not."""
    on_time = [moment(event) for event in events_of(make_load())]
    assert on_time == sorted(on_time)
    load = make_load(late=0.05)
    behind, newest = 0, datetime.min.replace(tzinfo=UTC)
    for event in events_of(load):
        behind += moment(event) < newest
        newest = max(newest, moment(event))
    assert load.late_events == 100
    # One whose later arrival falls behind nothing (at the very end of the load) is not seen.
    assert load.late_events - 5 <= behind <= load.late_events


def test_everything_is_acceptable_to_a_gateway():
    """No event lies after `until`, none further back than a key without `import` may send."""
    load = make_load(days=ACCEPTED_DAYS, duplicates=0.2, late=0.2)
    for event in events_of(load):
        assert UNTIL - MAX_BACK < moment(event) <= UNTIL
        assert event["specversion"] == "1.0"
        assert event["type"] in TYPES
        assert ("tokens" in event["data"]) == (event["type"] == "tokens.consumed")


def test_names_are_visibly_samples():
    """Users, teams and products say that they are samples."""
    for event in islice(events_of(make_load()), 200):
        names = (event["subject"], event["data"]["team_id"], event["data"]["product_id"])
        assert all(name.startswith("sample-") for name in names)


def test_the_shape_is_plausible():
    """Few heavy and many light users, quiet weekends, both kinds of access, both types."""
    load = make_load(events=20_000, users=500, days=28)
    events = events_of(load)
    by_user = Counter(event["subject"] for event in events).most_common()
    assert sum(count for _, count in by_user[:50]) > 0.4 * len(events)
    weekend = sum(moment(event).weekday() >= 5 for event in events)
    assert weekend < 0.1 * len(events)
    kinds = Counter((event["type"], event["data"].get("access")) for event in events)
    assert set(kinds) == {
        ("product.launched", None),
        ("product.launched", "flex"),
        ("tokens.consumed", None),
    }


def test_just_after_midnight():
    """The last day may be minutes old: its events are squeezed into them."""
    until = datetime(2026, 3, 1, 0, 2, tzinfo=UTC)
    load = make_load(events=100, days=1, until=until)
    assert all(timedelta(0) <= until - moment(e) <= timedelta(minutes=2) for e in events_of(load))


@pytest.mark.parametrize(
    "changed", [{"users": 0}, {"days": 0}, {"events": -1}, {"duplicates": 1.0}, {"late": 1.1}]
)
def test_an_impossible_load_is_refused(changed):
    """Numbers that make no sense raise ValueError when the load is made."""
    with pytest.raises(ValueError, match="must"):
        make_load(**changed)
