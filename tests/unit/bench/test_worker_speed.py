"""Speed of a worker from the lines that it prints, and the events that it is given."""

import json
from collections import Counter

import pytest

from tests.bench.worker_speed import Load, flushes, lines, rate


def test_peers_and_ours_say_it_in_their_own_way(tmp_path):
    """A peer gives seconds since 1970, the product a timestamp; other lines are passed over."""
    log = tmp_path / "log"
    ours = {"event": "flushed", "stored": 3, "timestamp": "1970-01-01T00:00:02.500000Z"}
    peer = {"event": "flushed", "stored": 2, "at": 1.5}
    log.write_text(f'starting\n{{"event": "assigned"}}\n{json.dumps(peer)}\n{json.dumps(ours)}\n')
    assert flushes(log) == [(1.5, 2), (2.5, 3)]


def test_the_first_batch_only_starts_the_clock():
    """What came before the first flush took an unknown time, so it isn't counted."""
    assert rate([(10.0, 1_000), (11.0, 30), (12.0, 70)]) == 50.0


def test_one_batch_tells_nothing():
    """There is no speed without a second flush."""
    with pytest.raises(RuntimeError, match="give more events"):
        rate([(10.0, 1_000)])


def test_events_share_rows_as_asked():
    """Each user has as many events as asked, and no id occurs twice."""
    events = list(lines(Load(events=20, events_a_row=5)))
    assert set(Counter(user for user, _ in events).values()) == {5}
    assert len({json.loads(line)["id"] for _, line in events}) == 20
