"""What is held, what may be let go, and what a row takes."""

from datetime import date

import pytest

from aggregators import load, state
from aggregators.state import SEQ_BITS, Row, State, UserDay, user_hash
from tests.model.log import SimulatedLog
from tests.support.histories import PARTITIONS, line
from tests.support.straight_worker import StraightWorker

DAY = date(2026, 3, 1)


def key(number):
    """A user-day."""
    return ("acme", f"user-{number}", DAY)


def holding(count, *, max_bytes):
    """A state with some user-days of one row and one identity, all changed by batch 1."""
    held = State(max_bytes=max_bytes)
    held.batch = 1
    for number in range(count):
        held.admit(key(number), 0, UserDay())
        user_day = held.user_day(key(number))
        held.row(user_day, ("product", "", "team", "flex")).add(1, 1, 0, 0, 0)
        user_day.identities["1:a1"] = 1 << SEQ_BITS
        held.identities_added(key(number), 0, 1)
    return held


def test_a_row_adds_a_record_once():
    """The guard: only above the position it had; the first record of the log stands at 0."""
    row = Row()
    row.add(0, 1, 5, 20, 30)
    row.add(0, 1, 5, 1, 99)
    row.add(7, 2, 0, 10, 25)
    row.add(6, 1, 5, 1, 99)
    assert (row.launches, row.tokens, row.first_at, row.last_at, row.position) == (3, 5, 10, 30, 7)


def test_a_row_of_zeros_counts_as_absent():
    """Its times are nobody's, its position holds."""
    row = Row()
    row.position = 5
    row.add(5, 1, 0, 50, 60)
    row.add(6, 1, 0, 50, 60)
    assert (row.launches, row.first_at, row.last_at) == (1, 50, 60)


def test_only_clean_user_days_are_evicted():
    """Dirty ones stay over any budget, until their batch is acknowledged."""
    held = holding(3, max_bytes=1)
    held.evict()
    assert len(held.user_days) == 3
    held.acknowledge(1, {0: 1})
    held.batch = 2
    held.user_day(key(1))
    held.evict()
    assert list(held.user_days) == [key(1)]
    assert (held.rows_held, held.identities_held) == (1, 1)


def test_the_least_recently_used_go_first_and_no_more_than_needed():
    """Within the budget nothing goes."""
    room = holding(3, max_bytes=1).bytes_held()
    held = holding(4, max_bytes=room)
    held.acknowledge(1, {0: 1})
    held.user_day(key(0))
    held.acknowledge(2, {0: 1})
    held.evict()
    assert list(held.user_days) == [key(2), key(3), key(0)]
    assert held.bytes_held() <= room
    held.evict()
    assert len(held.user_days) == 3


def test_existing_sets_know_what_is_stored_and_what_is_new_here():
    """Without a set anything may exist; a new user-day joins its set, for after its eviction."""
    held = State(max_bytes=1 << 20)
    assert held.may_exist(key(1), 0)
    held.learn_existing([(0, DAY), (1, DAY)], {(0, DAY): {user_hash(key(1))}})
    assert held.may_exist(key(1), 0)
    assert not held.may_exist(key(2), 0)
    assert not held.may_exist(key(1), 1)
    held.admit(key(2), 0, UserDay())
    assert held.may_exist(key(2), 0)


def test_a_set_read_later_knows_what_is_held():
    """What is held here may not be stored yet when the set is read."""
    held = holding(1, max_bytes=1 << 20)
    held.learn_existing([(0, DAY)], {})
    assert held.may_exist(key(0), 0)


def test_sets_that_outgrow_their_share_are_given_up():
    """Then those user-days are loaded: slower, and as right."""
    held = State(max_bytes=2_800)
    held.learn_existing([(0, DAY)], {(0, DAY): set(range(9))})
    held.learn_existing([(1, DAY)], {(1, DAY): set(range(5))})
    held.evict()
    assert not held.may_exist(key(1), 1)
    assert held.may_exist(key(1), 0)
    assert held.existing[0, DAY] is None


def test_a_hash_is_of_tenant_and_user():
    """Not of the day, which its set has; and no two pairs run together."""
    assert user_hash(("a", "b", DAY)) == user_hash(("a", "b", date(2026, 3, 2)))
    assert user_hash(("a", "bc", DAY)) != user_hash(("ab", "c", DAY))


@pytest.fixture
def few_identities(monkeypatch):
    """A user-day with more than two identities has too many to be held."""
    for module in (state, load):
        monkeypatch.setattr(module, "MAX_IDENTITIES_HELD", 2)


def test_a_large_user_day_keeps_no_stored_identities(few_identities):
    """They are looked up, so memory is bounded, and duplicates are seen all the same."""
    log = SimulatedLog(PARTITIONS)
    worker = StraightWorker(log)
    for first in (0, 3, 3, 0, 6):
        log.append(0, [line(id=str(first + number)) for number in range(3)])
    for offset in range(5):
        worker.process(log.read(0, offset, 1, log.generation))
        held = worker.state.user_days["acme", "user-1", DAY]
        # The batch's own three may not be stored yet when it lets go.
        assert len(held.identities) <= 3
        assert held.partial
        worker.worker.check_books()
    stored = worker.store.tables["usage_daily"].values()
    assert [row["launches"] for row in stored] == [9]
    worker.restart()
    log.append(0, [line(id="1"), line(id="9")])
    worker.process(log.read(0, 5, 1, log.generation))
    assert [row["launches"] for row in worker.store.tables["usage_daily"].values()] == [10]
    worker.close()
